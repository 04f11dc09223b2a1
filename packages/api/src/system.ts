/** A system as it is answered. */
import { Schema } from "effect"
import { Metadata, optional, Text } from "./common.ts"

export const System = Schema.Struct({
  id: Text,
  workspaceId: Text,
  name: Text,
  slug: Text,
  description: optional(Text),
  metadata: Metadata,
})
export type System = typeof System.Type
