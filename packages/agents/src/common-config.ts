/** What every agent's config may hold, whatever its type. Read by the dispatcher when it creates a job. */
import { Schema } from "effect"

const seconds = Schema.Finite.check(Schema.isGreaterThan(0))

export const commonConfig = {
  /** Seconds from a job's creation to its deadline; 3600 unless told, 600 for the test runner. */
  deadlineSeconds: Schema.optionalKey(seconds),
  /** A lost job may still be running and holds its target; with this it is given up so many seconds after it was lost. */
  onLost: Schema.optionalKey(Schema.Struct({ proceedAfterSeconds: seconds })),
}
