/** How long a caller waits for an actor's word before it is told "accepted, not decided yet": people and agents time out later. */
export const receiptWaitMilliseconds = 2_000
