/**
 * The life of one job as a table: what each input does in each phase. It is documentation that cannot go stale, because a
 * test walks every cell against `decide`. Where a phase has two cases, the cell shows the usual one (a `Stopping` job whose
 * cancel is outstanding, a `Stopping` or `Lost` job that is known to have run, a `HandedOver` job with attempts left) and the
 * other has a test of its own.
 */
import type { JobPhase } from "./state.ts"

export type Cell =
  /** The phase it is in afterwards; `HandedOver` from `HandedOver` is the next attempt. */
  | JobPhase
  /** Stays; what was said is kept. */
  | "noted"
  /** Stays; the agent is asked again. */
  | "asked"
  /** Stays; its patience starts to run. */
  | "overdue"
  /** Changes nothing and is counted. */
  | "ignored"
  /** Changes nothing and is not worth counting. */
  | "nothing"
  | "refused"

type Row = Readonly<Record<JobPhase, Cell>>
const row = (Queued: Cell, HandedOver: Cell, Running: Cell, Stopping: Cell, Lost: Cell, Ended: Cell): Row => ({
  Queued,
  HandedOver,
  Running,
  Stopping,
  Lost,
  Ended,
})

// biome-ignore format: a table is read in columns
export const transitions = {
  //                             Queued      HandedOver    Running    Stopping   Lost       Ended
  "report running":          row("Running",  "Running",    "noted",   "noted",   "noted",   "ignored"),
  "report actionRequired":   row("Running",  "Running",    "Running", "Stopping", "Lost",   "ignored"),
  "report successful":       row("Ended",    "Ended",      "Ended",   "Ended",   "Ended",   "ignored"),
  "report failure":          row("Ended",    "Ended",      "Ended",   "Ended",   "Ended",   "ignored"),
  "report pending":          row("refused",  "noted",      "refused", "refused", "refused", "ignored"),
  "report of no attempt":    row("Ended",    "Ended",      "Ended",   "Ended",   "Ended",   "refused"),
  "report of older attempt": row("ignored",  "ignored",    "ignored", "ignored", "ignored", "ignored"),
  "report of newer attempt": row("ignored",  "ignored",    "ignored", "ignored", "ignored", "ignored"),
  "claim":                   row("Running",  "refused",    "refused", "refused", "refused", "refused"),
  "claim of another agent":  row("refused",  "refused",    "refused", "refused", "refused", "refused"),
  "cancel":                  row("Ended",    "Stopping",   "Stopping", "nothing", "asked",  "nothing"),

  "dispatch: Running":       row("nothing",  "Running",    "noted",   "noted",   "noted",   "nothing"),
  "dispatch: Ended":         row("nothing",  "Ended",      "Ended",   "Ended",   "Ended",   "ignored"),
  "dispatch: Unknown":       row("nothing",  "HandedOver", "noted",   "noted",   "noted",   "nothing"),
  "dispatch: Rejected":      row("nothing",  "Ended",      "noted",   "noted",   "noted",   "nothing"),
  "dispatch: Unsupported":   row("nothing",  "noted",      "noted",   "asked",   "noted",   "nothing"),
  "probe: Running":          row("nothing",  "Running",    "noted",   "noted",   "noted",   "nothing"),
  "probe: Ended":            row("nothing",  "Ended",      "Ended",   "Ended",   "Ended",   "ignored"),
  "probe: Unknown":          row("nothing",  "HandedOver", "Ended",   "Ended",   "Ended",   "nothing"),
  "probe: Rejected":         row("nothing",  "noted",      "noted",   "noted",   "noted",   "nothing"),
  "probe: Unsupported":      row("nothing",  "noted",      "noted",   "asked",   "noted",   "nothing"),
  "cancel: Running":         row("nothing",  "Running",    "noted",   "noted",   "noted",   "nothing"),
  "cancel: Ended":           row("nothing",  "Ended",      "Ended",   "Ended",   "Ended",   "ignored"),
  "cancel: Unknown":         row("nothing",  "HandedOver", "Ended",   "Ended",   "Ended",   "nothing"),
  "cancel: Rejected":        row("nothing",  "noted",      "noted",   "noted",   "noted",   "nothing"),
  "cancel: Unsupported":     row("nothing",  "noted",      "noted",   "asked",   "noted",   "nothing"),
  "older answer: Running":   row("nothing",  "nothing",    "nothing", "nothing", "nothing", "nothing"),
  "older answer: Ended":     row("ignored",  "ignored",    "ignored", "ignored", "ignored", "ignored"),

  "timer probe":             row("asked",    "asked",      "asked",   "asked",   "asked",   "refused"),
  "timer deadline":          row("Ended",    "Stopping",   "Stopping", "overdue", "refused", "refused"),
  "timer patience":          row("refused",  "refused",    "refused", "Lost",    "refused", "refused"),
  "timer proceed":           row("refused",  "refused",    "refused", "refused", "Ended",   "refused"),
} as const satisfies Record<string, Row>

export type InputName = keyof typeof transitions
