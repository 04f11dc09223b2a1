/**
 * The entity tables (what people configure) for drizzle's query builder. The SQL in `migrations/` creates the tables and
 * owns their indexes and foreign keys; these definitions only describe columns and keys, and a test compares them with a
 * migrated database. No table names a schema: `search_path` is set on every connection.
 *
 * Times are `timestamptz(3)` read as `Date`: a `Date` holds exactly what the column does. `jsonb` is read parsed.
 */
import type {
  DeploymentId,
  EnvironmentId,
  JobAgentId,
  PolicyId,
  ResourceId,
  ResourceProviderId,
  RuleId,
  SystemId,
  UserId,
  VersionId,
  WorkspaceId,
} from "@sluice/domain/ids"
import type { JsonObject, Metadata } from "@sluice/domain/json"
import type { VersionStatus } from "@sluice/domain/version"
import { boolean, integer, jsonb, pgTable, primaryKey, text, timestamp, uuid } from "drizzle-orm/pg-core"

const time = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: "date" })
const createdAt = () => time("created_at").notNull().defaultNow()
const updatedAt = () => time("updated_at").notNull().defaultNow()
const deletedAt = () => time("deleted_at")
const workspaceId = () => uuid("workspace_id").$type<WorkspaceId>().notNull()
const metadata = () => jsonb("metadata").$type<Metadata>().notNull().default({})
const config = (name: string) => jsonb(name).$type<JsonObject>().notNull().default({})

export const workspace = pgTable("workspace", {
  id: uuid("id").$type<WorkspaceId>().primaryKey(),
  slug: text("slug").notNull(),
  name: text("name").notNull(),
  createdAt: createdAt(),
  deletedAt: deletedAt(),
})

export const userAccount = pgTable("user_account", {
  id: uuid("id").$type<UserId>().primaryKey(),
  name: text("name").notNull(),
  email: text("email"),
  createdAt: createdAt(),
})

export const workspaceMember = pgTable(
  "workspace_member",
  {
    workspaceId: workspaceId(),
    userId: uuid("user_id").$type<UserId>().notNull(),
    role: text("role").$type<"admin" | "member">().notNull(),
  },
  table => [primaryKey({ columns: [table.workspaceId, table.userId] })],
)

export const apiKey = pgTable("api_key", {
  prefix: text("prefix").primaryKey(),
  /** SHA-256 of the secret, hex. */
  secretHash: text("secret_hash").notNull(),
  userId: uuid("user_id").$type<UserId>().notNull(),
  name: text("name").notNull(),
  createdAt: createdAt(),
  expiresAt: time("expires_at"),
  revokedAt: time("revoked_at"),
})

export const system = pgTable("system", {
  id: uuid("id").$type<SystemId>().primaryKey(),
  workspaceId: workspaceId(),
  name: text("name").notNull(),
  description: text("description"),
  metadata: metadata(),
  createdAt: createdAt(),
  deletedAt: deletedAt(),
})

export const deployment = pgTable("deployment", {
  id: uuid("id").$type<DeploymentId>().primaryKey(),
  workspaceId: workspaceId(),
  name: text("name").notNull(),
  description: text("description"),
  resourceSelector: text("resource_selector"),
  jobAgentSelector: text("job_agent_selector"),
  jobAgentConfig: config("job_agent_config"),
  metadata: metadata(),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
  deletedAt: deletedAt(),
})

export const environment = pgTable("environment", {
  id: uuid("id").$type<EnvironmentId>().primaryKey(),
  workspaceId: workspaceId(),
  name: text("name").notNull(),
  description: text("description"),
  resourceSelector: text("resource_selector"),
  metadata: metadata(),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
  deletedAt: deletedAt(),
})

export const systemDeployment = pgTable(
  "system_deployment",
  {
    systemId: uuid("system_id").$type<SystemId>().notNull(),
    deploymentId: uuid("deployment_id").$type<DeploymentId>().notNull(),
    workspaceId: workspaceId(),
  },
  table => [primaryKey({ columns: [table.systemId, table.deploymentId] })],
)

export const systemEnvironment = pgTable(
  "system_environment",
  {
    systemId: uuid("system_id").$type<SystemId>().notNull(),
    environmentId: uuid("environment_id").$type<EnvironmentId>().notNull(),
    workspaceId: workspaceId(),
  },
  table => [primaryKey({ columns: [table.systemId, table.environmentId] })],
)

export const resourceProvider = pgTable("resource_provider", {
  id: uuid("id").$type<ResourceProviderId>().primaryKey(),
  workspaceId: workspaceId(),
  name: text("name").notNull(),
  metadata: metadata(),
  createdAt: createdAt(),
  deletedAt: deletedAt(),
})

export const resource = pgTable("resource", {
  id: uuid("id").$type<ResourceId>().primaryKey(),
  workspaceId: workspaceId(),
  identifier: text("identifier").notNull(),
  name: text("name").notNull(),
  kind: text("kind").notNull(),
  version: text("version").notNull(),
  config: config("config"),
  metadata: metadata(),
  providerId: uuid("provider_id").$type<ResourceProviderId>(),
  position: integer("position"),
  createdAt: createdAt(),
  /** Null until the resource is changed for the first time. */
  updatedAt: time("updated_at"),
  deletedAt: deletedAt(),
})

export const jobAgent = pgTable("job_agent", {
  id: uuid("id").$type<JobAgentId>().primaryKey(),
  workspaceId: workspaceId(),
  name: text("name").notNull(),
  type: text("type").notNull(),
  config: config("config"),
  metadata: metadata(),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
  deletedAt: deletedAt(),
})

export const deploymentVersion = pgTable("deployment_version", {
  id: uuid("id").$type<VersionId>().primaryKey(),
  workspaceId: workspaceId(),
  deploymentId: uuid("deployment_id").$type<DeploymentId>().notNull(),
  tag: text("tag").notNull(),
  name: text("name").notNull(),
  status: text("status").$type<VersionStatus>().notNull(),
  message: text("message"),
  config: config("config"),
  jobAgentConfig: config("job_agent_config"),
  metadata: metadata(),
  dependencies: config("dependencies"),
  contentHash: text("content_hash").notNull(),
  createdBy: uuid("created_by").$type<UserId>(),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
})

export const policy = pgTable("policy", {
  id: uuid("id").$type<PolicyId>().primaryKey(),
  workspaceId: workspaceId(),
  name: text("name").notNull(),
  description: text("description"),
  selector: text("selector").notNull().default("true"),
  enabled: boolean("enabled").notNull().default(true),
  priority: integer("priority").notNull().default(0),
  metadata: metadata(),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
  deletedAt: deletedAt(),
})

export const policyRule = pgTable(
  "policy_rule",
  {
    policyId: uuid("policy_id").$type<PolicyId>().notNull(),
    position: integer("position").notNull(),
    id: text("id").$type<RuleId>().notNull(),
    workspaceId: workspaceId(),
    createdAtText: text("created_at_text").notNull(),
    createdAt: createdAt(),
    body: jsonb("body").$type<JsonObject>().notNull(),
  },
  table => [primaryKey({ columns: [table.policyId, table.position] })],
)

export const approval = pgTable(
  "approval",
  {
    versionId: uuid("version_id").$type<VersionId>().notNull(),
    environmentId: uuid("environment_id").$type<EnvironmentId>().notNull(),
    userId: uuid("user_id").$type<UserId>().notNull(),
    workspaceId: workspaceId(),
    status: text("status").$type<"approved" | "rejected">().notNull(),
    reason: text("reason"),
    createdAt: createdAt(),
  },
  table => [primaryKey({ columns: [table.versionId, table.environmentId, table.userId] })],
)
