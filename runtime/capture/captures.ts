/** What one encode knows about the functions in its value. */
export type Captures = Map<object, unknown>;
