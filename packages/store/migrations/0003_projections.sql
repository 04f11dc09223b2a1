-- What screens, lists and rules read. Each table is written by one actor kind, in the batch that decided it.

-- Written by the planner. A target that left keeps its row (and its history); `present` says whether it exists now.
CREATE TABLE release_target (
  key text PRIMARY KEY,
  workspace_id uuid NOT NULL,
  deployment_id uuid NOT NULL,
  environment_id uuid NOT NULL,
  resource_id uuid NOT NULL,
  present boolean NOT NULL,
  joined_at timestamptz NOT NULL,
  left_at timestamptz
);
CREATE INDEX release_target_pair ON release_target (deployment_id, environment_id) WHERE present;
CREATE INDEX release_target_environment ON release_target (environment_id) WHERE present;
CREATE INDEX release_target_resource ON release_target (resource_id) WHERE present;
CREATE INDEX release_target_workspace ON release_target (workspace_id, key) WHERE present;

CREATE TABLE deployment_match (
  deployment_id uuid NOT NULL,
  resource_id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  PRIMARY KEY (deployment_id, resource_id)
);
CREATE INDEX deployment_match_resource ON deployment_match (resource_id);
CREATE TABLE environment_match (
  environment_id uuid NOT NULL,
  resource_id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  PRIMARY KEY (environment_id, resource_id)
);
CREATE INDEX environment_match_resource ON environment_match (resource_id);

-- Written by the target actor.
CREATE TABLE target_status (
  key text PRIMARY KEY,
  workspace_id uuid NOT NULL,
  deployment_id uuid NOT NULL,
  environment_id uuid NOT NULL,
  resource_id uuid NOT NULL,
  phase text NOT NULL,              -- idle | waiting | deploying | verifying | rollingBack | held
  desired_release_id uuid,
  current_release_id uuid,
  current_version_id uuid,
  good_release_id uuid,             -- last known-good release
  job_set_id uuid,
  blocked jsonb,
  hold jsonb,
  evaluated_at timestamptz,
  updated_at timestamptz NOT NULL
);
CREATE INDEX target_status_pair ON target_status (deployment_id, environment_id);
CREATE INDEX target_status_busy ON target_status (deployment_id, environment_id)
  WHERE phase IN ('deploying', 'verifying', 'rollingBack') OR job_set_id IS NOT NULL; -- a lost job holds its target

CREATE TABLE release (
  id uuid PRIMARY KEY,
  workspace_id uuid NOT NULL,
  target_key text NOT NULL,
  deployment_id uuid NOT NULL,
  environment_id uuid NOT NULL,
  resource_id uuid NOT NULL,
  version_id uuid NOT NULL,
  variables jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz(3) NOT NULL
);
CREATE UNIQUE INDEX release_identity ON release (target_key, version_id, md5(variables::text));

-- What a version has come to on a target: the facts of progression, rollout, retry and quarantine.
CREATE TABLE target_version (
  target_key text NOT NULL,
  version_id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  deployment_id uuid NOT NULL,
  environment_id uuid NOT NULL,
  outcomes jsonb NOT NULL DEFAULT '{}',   -- terminal job status → earliest end, epoch ms
  latest jsonb NOT NULL DEFAULT '{}',     -- terminal job status → latest end, epoch ms
  verification text NOT NULL DEFAULT 'none', -- none | running | passed | failed
  verified_at timestamptz,                -- when the last verification passed
  settled_at timestamptz,                 -- successful and verified (or nothing to verify)
  failed_at timestamptz,                  -- last try unsuccessful with no retry left, or verification failed
  started_at timestamptz,
  quarantined_at timestamptz,
  quarantine_reason text,
  PRIMARY KEY (target_key, version_id)
);
CREATE INDEX target_version_version ON target_version (version_id, environment_id);

-- The order of a verified rollout, fixed when the version's first target starts; later arrivals come last.
CREATE TABLE rollout_position (
  deployment_id uuid NOT NULL,
  environment_id uuid NOT NULL,
  version_id uuid NOT NULL,
  position int NOT NULL,
  target_key text NOT NULL,
  workspace_id uuid NOT NULL,
  started_at timestamptz NOT NULL,        -- of the rollout, not of the target
  PRIMARY KEY (environment_id, version_id, target_key)
);
CREATE INDEX rollout_position_order ON rollout_position (environment_id, version_id, position);

-- Versions quarantined beyond one target, by a rollback rule's scope. environment_id null: the whole deployment.
CREATE TABLE quarantine (
  deployment_id uuid NOT NULL,
  scope text NOT NULL,                    -- environment id, or 'deployment'
  version_id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  reason text NOT NULL,
  at timestamptz NOT NULL,
  released_at timestamptz,
  PRIMARY KEY (deployment_id, scope, version_id)
);

-- The wait index: who asked to be woken by what.
CREATE TABLE wait (
  target_key text NOT NULL,
  subject text NOT NULL,
  workspace_id uuid NOT NULL,
  PRIMARY KEY (subject, target_key)
);
CREATE INDEX wait_target ON wait (target_key);

-- `why`, recorded whenever the answer changes.
CREATE TABLE target_why (
  target_key text NOT NULL,
  at timestamptz NOT NULL,
  sequence bigint NOT NULL,               -- state version, orders answers of one moment
  workspace_id uuid NOT NULL,
  phase text NOT NULL,
  desired_version_id uuid,
  answer jsonb NOT NULL,
  PRIMARY KEY (target_key, sequence)
);

-- Written by the dispatcher.
CREATE TABLE job_set (
  id uuid PRIMARY KEY,
  workspace_id uuid NOT NULL,
  target_key text NOT NULL,
  release_id uuid NOT NULL,
  version_id uuid NOT NULL,
  try int NOT NULL,
  purpose text NOT NULL,
  active boolean NOT NULL,
  outcome text,
  created_at timestamptz(3) NOT NULL,
  ended_at timestamptz(3)
);
-- Promise P1, even if all code is wrong.
CREATE UNIQUE INDEX job_set_one_active ON job_set (target_key) WHERE active;
CREATE INDEX job_set_target ON job_set (target_key, created_at DESC);

CREATE TABLE job (
  id uuid PRIMARY KEY,
  job_set_id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  target_key text NOT NULL,
  release_id uuid NOT NULL,
  job_agent_id uuid,
  status text NOT NULL,
  attempt int NOT NULL,
  try int NOT NULL,
  deadline timestamptz,
  reason text,
  message text,
  external_id text,
  ignored_reports int NOT NULL DEFAULT 0,
  job_agent_config jsonb NOT NULL DEFAULT '{}',
  dispatch_context jsonb NOT NULL DEFAULT '{}',
  metadata jsonb NOT NULL DEFAULT '{}',
  outputs jsonb,
  created_at timestamptz(3) NOT NULL,
  started_at timestamptz(3),
  completed_at timestamptz(3),
  updated_at timestamptz(3) NOT NULL
);
CREATE INDEX job_workspace ON job (workspace_id, created_at DESC, id DESC);
CREATE INDEX job_target ON job (target_key, created_at DESC, id DESC);
CREATE INDEX job_agent_queue ON job (job_agent_id, status, created_at DESC);
CREATE INDEX job_set_jobs ON job (job_set_id);

-- Written by the verifier.
CREATE TABLE verification (
  id uuid PRIMARY KEY,
  workspace_id uuid NOT NULL,
  target_key text NOT NULL,
  job_set_id uuid NOT NULL,
  job_ids jsonb NOT NULL,
  release_id uuid NOT NULL,
  status text NOT NULL,                   -- running | passed | failed
  message text,
  metrics jsonb NOT NULL,                 -- the specs
  created_at timestamptz(3) NOT NULL,
  ended_at timestamptz(3)
);
CREATE INDEX verification_job_set ON verification (job_set_id);
CREATE TABLE measurement (
  verification_id uuid NOT NULL,
  metric int NOT NULL,
  round int NOT NULL,
  workspace_id uuid NOT NULL,
  status text NOT NULL,                   -- passed | failed | inconclusive | error
  message text,
  data jsonb,
  measured_at timestamptz(3) NOT NULL,
  PRIMARY KEY (verification_id, metric, round)
);

-- Written by the event log (gateway).
CREATE TABLE event (
  workspace_id uuid NOT NULL,
  sequence bigint NOT NULL,
  id uuid NOT NULL,
  type text NOT NULL,
  version int NOT NULL,
  at timestamptz(3) NOT NULL,
  subject text NOT NULL,
  actor text NOT NULL,
  causation_id text,
  correlation_id text NOT NULL,
  data jsonb NOT NULL,
  PRIMARY KEY (workspace_id, sequence)
);
