/** States of a claim word: who may run a task that lies on a worker, decided by one compare-and-exchange. */

/** Tasks that may be on a worker and not started. */
export const CLAIM_SLOTS = 1024;

export const CLAIM_WAITING = 1;
export const CLAIM_STARTED = 2;
export const CLAIM_TAKEN_BACK = 3;
/** Its turn came before what it was sent ahead for, and its worker gives it back. */
export const CLAIM_DECLINED = 4;
