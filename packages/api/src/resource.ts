/** A resource as it is answered. Clients address it by its own `identifier`. */
import { Schema } from "effect"
import { Config, DateTime, Metadata, optional, Text } from "./common.ts"

export const Resource = Schema.Struct({
  id: Text,
  workspaceId: Text,
  identifier: Text,
  name: Text,
  kind: Text,
  version: Text,
  config: Config,
  metadata: Metadata,
  providerId: optional(Text),
  createdAt: DateTime,
  updatedAt: optional(DateTime),
})
export type Resource = typeof Resource.Type
