/** Workspaces: what everything else belongs to. A key sees the workspaces its user is a member of. */
import { Schema } from "effect"
import { DateTime, optional, Text } from "./common.ts"
import { operation, W } from "./operation.ts"

export const Workspace = Schema.Struct({ id: Text, name: Text, slug: Text, createdAt: DateTime })
export type Workspace = typeof Workspace.Type

const Name = Schema.String.check(Schema.isMinLength(3), Schema.isMaxLength(30))
const Slug = Schema.String.check(
  Schema.isMinLength(3),
  Schema.isMaxLength(50),
  Schema.isPattern(/^[a-z0-9-]+$/, { message: "may hold lower-case letters, digits and dashes" }),
)
const tag = "workspaces"

export const listWorkspaces = operation({
  id: "listWorkspaces",
  summary: "The workspaces of the key's user",
  tag,
  method: "GET",
  path: "/v1/workspaces",
  success: Schema.Struct({ workspaces: Schema.Array(Workspace), total: Schema.Int }),
})
export const createWorkspace = operation({
  id: "createWorkspace",
  summary: "Create a workspace; the caller becomes its admin",
  tag,
  method: "POST",
  path: "/v1/workspaces",
  body: Schema.Struct({ name: Name, slug: Slug }),
  status: 201,
  success: Workspace,
  errors: [409],
})
export const getWorkspaceBySlug = operation({
  id: "getWorkspaceBySlug",
  summary: "A workspace by its slug",
  tag,
  method: "GET",
  path: "/v1/workspaces/slug/{workspaceSlug}",
  success: Workspace,
  errors: [404],
})
export const getWorkspace = operation({
  id: "getWorkspace",
  summary: "A workspace",
  tag,
  method: "GET",
  path: W,
  success: Workspace,
  errors: [404],
})
export const updateWorkspace = operation({
  id: "updateWorkspace",
  summary: "Rename a workspace",
  tag,
  method: "PATCH",
  path: W,
  body: Schema.Struct({ name: optional(Name), slug: optional(Slug) }),
  success: Workspace,
  errors: [404, 409],
})
export const deleteWorkspace = operation({
  id: "deleteWorkspace",
  summary: "Delete a workspace and everything in it",
  tag,
  method: "DELETE",
  path: W,
  status: 204,
  errors: [404],
})
