-- The actor runtime: partitions, channels, states, journal, timers, dead letters, receipts. Written by the runtime in its
-- batch and by doors; nobody else writes here.

CREATE TABLE installation (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  partitions int NOT NULL,
  incarnation int NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- The row every batch locks. The lease lives apart, so that renewing it never conflicts with a batch.
CREATE TABLE partition (
  kind text NOT NULL,
  partition int NOT NULL,
  epoch bigint NOT NULL DEFAULT 0,
  last_now timestamptz NOT NULL DEFAULT 'epoch',   -- time never runs backwards within a partition
  journal_sequence bigint NOT NULL DEFAULT 0,
  read_from timestamptz NOT NULL DEFAULT 'epoch',  -- broker time of the newest applied message
  PRIMARY KEY (kind, partition)
);

CREATE TABLE lease (
  kind text NOT NULL,
  partition int NOT NULL,
  owner text,
  lease_until timestamptz NOT NULL DEFAULT 'epoch',
  graceful boolean NOT NULL DEFAULT true,
  PRIMARY KEY (kind, partition)
);

-- Highest number applied, per source, at the destination.
CREATE TABLE channel_mark (
  kind text NOT NULL,
  partition int NOT NULL,
  source_kind text NOT NULL,
  source_partition int NOT NULL,
  source_incarnation int NOT NULL,
  applied bigint NOT NULL,
  PRIMARY KEY (kind, partition, source_kind, source_partition, source_incarnation)
);

-- Last number drawn, per destination, at the source.
CREATE TABLE channel_next (
  source_kind text NOT NULL,
  source_partition int NOT NULL,
  kind text NOT NULL,
  partition int NOT NULL,
  drawn bigint NOT NULL,
  PRIMARY KEY (source_kind, source_partition, kind, partition)
);

-- Messages not yet applied by their destination.
CREATE TABLE outbox (
  source_kind text NOT NULL,
  source_partition int NOT NULL,
  kind text NOT NULL,
  partition int NOT NULL,
  number bigint NOT NULL,
  sent_at timestamptz NOT NULL,
  envelope jsonb NOT NULL,
  PRIMARY KEY (source_kind, source_partition, kind, partition, number)
);

-- Work for activities, until its result came through a door. `stored`: the broker has it, as far as we know.
CREATE TABLE activity_outbox (
  id uuid PRIMARY KEY,
  source_kind text NOT NULL,
  source_partition int NOT NULL,
  sent_at timestamptz NOT NULL,
  stored boolean NOT NULL DEFAULT false,
  work jsonb NOT NULL
);
CREATE INDEX activity_outbox_unstored ON activity_outbox (source_kind, source_partition, sent_at) WHERE NOT stored;
CREATE INDEX activity_outbox_source ON activity_outbox (source_kind, source_partition) WHERE stored;

CREATE TABLE actor_state (
  kind text NOT NULL,
  key text NOT NULL,
  workspace_id uuid NOT NULL,
  partition int NOT NULL,
  version bigint NOT NULL,
  schema_version int NOT NULL,
  state jsonb NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (kind, key)
);

CREATE TABLE journal (
  kind text NOT NULL,
  partition int NOT NULL,
  sequence bigint NOT NULL,
  epoch bigint NOT NULL,
  at timestamptz NOT NULL,
  workspace_id uuid NOT NULL,
  key text NOT NULL,
  message_id text NOT NULL,
  source_kind text,                 -- null for timers
  source_partition int,
  source_incarnation int,
  number bigint,
  type text NOT NULL,
  message jsonb NOT NULL,
  outcome text NOT NULL,            -- applied | refused | dead | parked | unknown
  reason text,
  events jsonb NOT NULL,
  PRIMARY KEY (kind, partition, sequence)
);
CREATE INDEX journal_key ON journal (kind, key, partition, sequence);
CREATE INDEX journal_at ON journal (at);

CREATE TABLE timer (
  kind text NOT NULL,
  key text NOT NULL,
  name text NOT NULL,
  partition int NOT NULL,
  workspace_id uuid NOT NULL,
  due_at timestamptz NOT NULL,
  payload jsonb NOT NULL,
  PRIMARY KEY (kind, key, name)
);
CREATE INDEX timer_due ON timer (kind, partition, due_at);

-- A message that cannot be handled, and those parked behind it, in order. Replay or discard releases them.
CREATE TABLE dead_letter (
  kind text NOT NULL,
  partition int NOT NULL,
  sequence bigint NOT NULL,         -- journal sequence at which it was put aside: the order of release
  key text NOT NULL,
  workspace_id uuid NOT NULL,
  parked boolean NOT NULL,
  reason text NOT NULL,
  at timestamptz NOT NULL,
  envelope jsonb NOT NULL,
  PRIMARY KEY (kind, partition, sequence)
);
CREATE INDEX dead_letter_key ON dead_letter (kind, key);

CREATE TABLE receipt (
  message_id text PRIMARY KEY,
  outcome text NOT NULL,            -- applied | refused | dead
  reason text,
  at timestamptz NOT NULL
);
CREATE INDEX receipt_at ON receipt (at);

-- Rows that batches lock on purpose: a rollout's cap, a workspace's stop.
CREATE TABLE guard (
  name text PRIMARY KEY,
  version bigint NOT NULL DEFAULT 0
);
