/** The bounds of a job's life, each with its reason. Milliseconds unless the name says otherwise. */

/** Deadline of a job whose config names none: an hour covers slow pipelines and still ends a forgotten one the same day. */
export const deadlineSecondsDefault = 3_600
/** The simulator's: nobody waits an hour for a pretended deployment. */
export const deadlineSecondsTestRunner = 600
/** A month. Beyond it a number is more likely a mistake (milliseconds) than a wish. */
export const deadlineSecondsMax = 2_592_000

/**
 * How long a hand-over may be carried out. It ends, one bridge call (30 s) included, before the agent is first asked about
 * it: an agent that then says "unknown" has not got it and will not get it, so the next attempt cannot be a second run.
 */
export const dispatchValidFor = 80_000
/** How long an unanswered hand-over is left alone before the agent is asked about it. */
export const handOverPatience = 120_000
/** How long a probe or cancel may stay unanswered before it is asked again: its work may have been lost with the broker. */
export const answerPatience = 60_000
/** Between the deadline and calling a job lost: time for the cancel, and for a report that is on its way. */
export const lostPatience = 60_000
/** While stopping, a person or a newer version is waiting for the answer. */
export const stoppingProbeEvery = 15_000
/** A lost job is asked about for as long as it holds its target. */
export const lostProbeEvery = 60_000

/** Hand-overs of one job. An agent that forgot it this often is broken, and the retry rule is the place for more. */
export const attemptsMax = 5
