-- What people configure. Written by the gateway; soft-deleted, so that history keeps its names.

CREATE TABLE workspace (
  id uuid PRIMARY KEY,
  slug text NOT NULL,
  name text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  deleted_at timestamptz(3)
);
CREATE UNIQUE INDEX workspace_slug ON workspace (slug) WHERE deleted_at IS NULL;

CREATE TABLE user_account (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  email text,
  created_at timestamptz(3) NOT NULL DEFAULT now()
);

CREATE TABLE workspace_member (
  workspace_id uuid NOT NULL REFERENCES workspace (id),
  user_id uuid NOT NULL REFERENCES user_account (id),
  role text NOT NULL,               -- admin | member
  PRIMARY KEY (workspace_id, user_id)
);

-- `<prefix>.<secret>`: the prefix is looked up, the secret is stored as SHA-256 hex (random keys need no slow hash).
CREATE TABLE api_key (
  prefix text PRIMARY KEY,
  secret_hash text NOT NULL,
  user_id uuid NOT NULL REFERENCES user_account (id),
  name text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  expires_at timestamptz(3),
  revoked_at timestamptz(3)
);

CREATE TABLE system (
  id uuid PRIMARY KEY,
  workspace_id uuid NOT NULL REFERENCES workspace (id),
  name text NOT NULL,
  description text,
  metadata jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  deleted_at timestamptz(3)
);
CREATE INDEX system_workspace ON system (workspace_id);

CREATE TABLE deployment (
  id uuid PRIMARY KEY,
  workspace_id uuid NOT NULL REFERENCES workspace (id),
  name text NOT NULL,
  description text,
  resource_selector text,           -- null: not given, matches nothing
  job_agent_selector text,
  job_agent_config jsonb NOT NULL DEFAULT '{}',
  metadata jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  deleted_at timestamptz(3)
);
CREATE UNIQUE INDEX deployment_name ON deployment (workspace_id, name) WHERE deleted_at IS NULL;

CREATE TABLE environment (
  id uuid PRIMARY KEY,
  workspace_id uuid NOT NULL REFERENCES workspace (id),
  name text NOT NULL,
  description text,
  resource_selector text,
  metadata jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  deleted_at timestamptz(3)
);
CREATE UNIQUE INDEX environment_name ON environment (workspace_id, name) WHERE deleted_at IS NULL;

CREATE TABLE system_deployment (
  system_id uuid NOT NULL REFERENCES system (id),
  deployment_id uuid NOT NULL REFERENCES deployment (id),
  workspace_id uuid NOT NULL REFERENCES workspace (id),
  PRIMARY KEY (system_id, deployment_id)
);
CREATE INDEX system_deployment_deployment ON system_deployment (deployment_id);

CREATE TABLE system_environment (
  system_id uuid NOT NULL REFERENCES system (id),
  environment_id uuid NOT NULL REFERENCES environment (id),
  workspace_id uuid NOT NULL REFERENCES workspace (id),
  PRIMARY KEY (system_id, environment_id)
);
CREATE INDEX system_environment_environment ON system_environment (environment_id);

CREATE TABLE resource_provider (
  id uuid PRIMARY KEY,
  workspace_id uuid NOT NULL REFERENCES workspace (id),
  name text NOT NULL,
  metadata jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  deleted_at timestamptz(3)
);
CREATE UNIQUE INDEX resource_provider_name ON resource_provider (workspace_id, name) WHERE deleted_at IS NULL;

CREATE TABLE resource (
  id uuid PRIMARY KEY,
  workspace_id uuid NOT NULL REFERENCES workspace (id),
  identifier text NOT NULL,
  name text NOT NULL,
  kind text NOT NULL,
  version text NOT NULL,
  config jsonb NOT NULL DEFAULT '{}',
  metadata jsonb NOT NULL DEFAULT '{}',
  provider_id uuid REFERENCES resource_provider (id),
  position int,                     -- place in the provider's last set
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3),
  deleted_at timestamptz(3)
);
CREATE UNIQUE INDEX resource_identifier ON resource (workspace_id, identifier) WHERE deleted_at IS NULL;
CREATE INDEX resource_provider_resources ON resource (provider_id, position) WHERE deleted_at IS NULL;

CREATE TABLE job_agent (
  id uuid PRIMARY KEY,
  workspace_id uuid NOT NULL REFERENCES workspace (id),
  name text NOT NULL,
  type text NOT NULL,
  config jsonb NOT NULL DEFAULT '{}',
  metadata jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  deleted_at timestamptz(3)
);
CREATE UNIQUE INDEX job_agent_name ON job_agent (workspace_id, name) WHERE deleted_at IS NULL;
CREATE INDEX job_agent_nats ON job_agent (workspace_id, id) WHERE type = 'nats' AND deleted_at IS NULL;

-- A version's place in the order is (created_at, id).
CREATE TABLE deployment_version (
  id uuid PRIMARY KEY,
  workspace_id uuid NOT NULL REFERENCES workspace (id),
  deployment_id uuid NOT NULL REFERENCES deployment (id),
  tag text NOT NULL,
  name text NOT NULL,
  status text NOT NULL,
  message text,
  config jsonb NOT NULL DEFAULT '{}',
  job_agent_config jsonb NOT NULL DEFAULT '{}',
  metadata jsonb NOT NULL DEFAULT '{}',
  dependencies jsonb NOT NULL DEFAULT '{}',
  content_hash text NOT NULL,       -- of what the publisher sent: tells "the same again" from "another under this tag"
  created_by uuid,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX deployment_version_tag ON deployment_version (deployment_id, tag);
CREATE INDEX deployment_version_order ON deployment_version (deployment_id, created_at DESC, id DESC);

CREATE TABLE policy (
  id uuid PRIMARY KEY,
  workspace_id uuid NOT NULL REFERENCES workspace (id),
  name text NOT NULL,
  description text,
  selector text NOT NULL DEFAULT 'true',
  enabled boolean NOT NULL DEFAULT true,
  priority int NOT NULL DEFAULT 0,
  metadata jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  deleted_at timestamptz(3)
);
CREATE INDEX policy_workspace ON policy (workspace_id) WHERE deleted_at IS NULL;

CREATE TABLE policy_rule (
  policy_id uuid NOT NULL REFERENCES policy (id),
  position int NOT NULL,
  id text NOT NULL,                 -- kept verbatim from clients that choose it
  workspace_id uuid NOT NULL REFERENCES workspace (id),
  created_at_text text NOT NULL,    -- Terraform needs the very string back
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  body jsonb NOT NULL,              -- {anyApproval: {...}, ...}: the kinds as sent
  PRIMARY KEY (policy_id, position)
);

CREATE TABLE approval (
  version_id uuid NOT NULL,
  environment_id uuid NOT NULL,
  user_id uuid NOT NULL,
  workspace_id uuid NOT NULL REFERENCES workspace (id),
  status text NOT NULL,             -- approved | rejected
  reason text,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (version_id, environment_id, user_id)
);
