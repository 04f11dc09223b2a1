// The context of the template tests: a small one of the shape that jobs are rendered with.
import type { JsonObject } from "../src/value.ts"

export const context: JsonObject = {
  resource: {
    name: "api",
    metadata: { "my-key": "mine", tier: "" },
    config: { ports: [80, { name: "https", port: 443 }] },
  },
  version: { tag: "v1" },
  variables: { replicas: 3, ratio: 0.5, debug: false, enabled: true },
  list: ["a", "b"],
  replicas: 3,
  none: null,
}
