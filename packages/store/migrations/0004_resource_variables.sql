-- What a resource says about itself under a name: literals, objects and references, as sent. Written by the gateway.

CREATE TABLE resource_variable (
  resource_id uuid NOT NULL REFERENCES resource (id),
  workspace_id uuid NOT NULL,
  key text NOT NULL,
  value jsonb NOT NULL,
  PRIMARY KEY (resource_id, key)
);
