/** How long a caller waits for an actor's word before it is told "accepted, not decided yet": people and agents time out later. */
export const receiptWaitMilliseconds = 2_000

/** The contract knows no "not decided yet" for a claim: an agent is told so only when something is badly behind. */
export const claimWaitMilliseconds = 10_000
