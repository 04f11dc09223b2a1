/** Why the demonstration could not go on. `refused`: Sluice said no, repeating is useless. `unreachable`: it may be back in a moment. */
import { Schema } from "effect"

export class DemonstrationError extends Schema.TaggedError<DemonstrationError>()("DemonstrationError", {
  reason: Schema.Literals(["refused", "unreachable", "unexpected", "gaveUp"]),
  /** HTTP status, when there was an answer. */
  status: Schema.optionalKey(Schema.Int),
  /** The answer's body, when there was one. */
  body: Schema.optionalKey(Schema.Unknown),
  message: Schema.String,
}) {}
