/**
 * `http-pull`: nobody is called. The dispatcher puts the job in the queue, the agent claims it and reports over HTTP, and
 * its config is for itself, so any field is accepted.
 */
import { Schema } from "effect"
import { commonConfig } from "./common-config.ts"

export const PullConfig = Schema.Struct(commonConfig)
export type PullConfig = typeof PullConfig.Type
