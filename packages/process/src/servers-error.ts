// The one error of obtaining, starting and stopping the embedded servers. Its message is a sentence for the person who
// typed `npm start`; the reason is for code. No reason is worth retrying by itself: somebody has to do something first.
import { Schema } from "effect"

export class ServersError extends Schema.TaggedError<ServersError>()("ServersError", {
  reason: Schema.Literals([
    "noneFound",
    "fetchFailed",
    "wrongChecksum",
    "tooOld",
    "didNotStart",
    "noUser",
    "leftOver",
    "invalidUser",
  ]),
  server: Schema.Literals(["nats", "postgres"]),
  message: Schema.String,
}) {}
