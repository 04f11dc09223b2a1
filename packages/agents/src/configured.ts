/** A driver's way into its config: decoded from the merged config of the job, or the job is rejected in words. */
import { Exit, Schema } from "effect"
import type { AgentAnswer, AgentJob } from "./driver.ts"

/** Runs `use` with the decoded config. A config that does not decode will not do so next time either: `Rejected`. */
export const configured = <S extends Schema.ConstraintDecoder<unknown>, A>(
  schema: S,
  job: Pick<AgentJob, "config">,
  use: (config: S["Type"]) => A,
): A | Extract<AgentAnswer, { _tag: "Rejected" }> => {
  const decoded = Schema.decodeUnknownExit(schema)(job.config as unknown)
  if (Exit.isSuccess(decoded)) return use(decoded.value)
  return { _tag: "Rejected", message: `the job agent's config is not valid: ${firstLine(decoded)}` }
}

const firstLine = (failed: Exit.Failure<unknown, Schema.SchemaError>): string => {
  const [reason] = failed.cause.reasons
  return reason?._tag === "Fail" ? reason.error.message.replaceAll(/\s+/g, " ") : "it could not be read"
}
