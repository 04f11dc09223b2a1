/** An environment as it is answered. */
import { Schema } from "effect"
import { DateTime, Metadata, optional, Text } from "./common.ts"

export const Environment = Schema.Struct({
  id: Text,
  name: Text,
  description: optional(Text),
  /** Absent when it matches nothing. */
  resourceSelector: optional(Text),
  metadata: Metadata,
  createdAt: DateTime,
})
export type Environment = typeof Environment.Type
