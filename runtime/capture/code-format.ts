/** Flags of an encoded function. */

export const FLAG_STRICT = 1;
export const FLAG_METHOD = 2;
export const FLAG_CLASS = 4;
/** The arrow function's `this` is given. */
export const FLAG_THIS = 8;

/** Flags of an encoded binding. */
export const BINDING_EARLY = 1;
