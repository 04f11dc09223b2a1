/** A deployment as it is answered. */
import { Schema } from "effect"
import { Config, Metadata, optional, Text } from "./common.ts"

export const Deployment = Schema.Struct({
  id: Text,
  name: Text,
  slug: Text,
  description: optional(Text),
  resourceSelector: optional(Text),
  jobAgentSelector: Text,
  jobAgentConfig: Config,
  metadata: Metadata,
})
export type Deployment = typeof Deployment.Type
