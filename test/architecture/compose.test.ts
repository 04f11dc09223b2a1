/** `docker-compose.yml` cannot be started here (no engine); it is held against the services and the settings instead. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { settings } from "@sluice/process/settings"
import { describe, expect, it } from "vitest"
import { parse } from "yaml"
import { root } from "./imports.ts"

interface Container {
  readonly command: ReadonlyArray<string>
  readonly environment: Readonly<Record<string, string>>
  readonly ports?: ReadonlyArray<string>
  readonly healthcheck?: { readonly test: ReadonlyArray<string> }
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
}

const compose: { services: Record<string, Container>; volumes: object } = parse(
  readFileSync(join(root, "docker-compose.yml"), "utf8"),
  { merge: true },
)
const ours = readdirSync(join(root, "services")).filter(
  name => name !== "all" && existsSync(join(root, "services", name, "src/main.ts")),
)
const { nats, postgres, ...services } = compose.services

describe("docker-compose.yml", () => {
  it("has one container per service, and NATS and Postgres", () => {
    expect(Object.keys(services).sort()).toEqual([...ours].sort())
    expect(nats).toBeDefined()
    expect(postgres).toBeDefined()
  })

  it("starts each service by a file that exists", () => {
    for (const [name, { command }] of Object.entries(services)) {
      expect(command).toEqual(["node", `services/${name}/src/main.ts`])
      expect(existsSync(join(root, command[1] ?? ""))).toBe(true)
    }
  })

  it("sets only variables that are settings, and every service's servers", () => {
    const known = Object.values(settings).map(setting => setting.name)
    for (const [name, { environment }] of Object.entries(services)) {
      for (const variable of Object.keys(environment)) expect(known, `${name}: ${variable}`).toContain(variable)
      expect(Object.keys(environment), name).toEqual(expect.arrayContaining(["NATS_URL", "DATABASE_URL", "OPS_PORT"]))
    }
  })

  it("publishes the gateway's default port and asks every container for its health where it answers", () => {
    expect(services.gateway?.environment.PORT).toBe(settings.port.fallback)
    expect(services.gateway?.ports).toEqual([`127.0.0.1:${settings.port.fallback}:${settings.port.fallback}`])
    for (const [name, { environment, healthcheck, depends_on }] of Object.entries(services)) {
      expect(healthcheck?.test.join(" "), name).toContain(`127.0.0.1:${environment.OPS_PORT}/healthz`)
      expect(Object.keys(depends_on ?? {}).sort(), name).toEqual(["nats", "postgres"])
    }
    for (const server of [nats, postgres]) expect(server?.healthcheck).toBeDefined()
  })

  it("gives NATS the configuration, the password and the store that the configuration names", () => {
    const config = readFileSync(join(root, "nats/server.conf"), "utf8")
    expect(config).toMatch(/\$NATS_PASSWORD/)
    expect(config).toMatch(/store_dir:?\s*"?\/data/)
    expect(config).toMatch(/sync_interval:?\s*"?always/)
    expect(nats?.environment.NATS_PASSWORD).toContain("NATS_PASSWORD")
    expect(config).toMatch(/listen:?\s*"?\S*:4222/)
    expect(nats?.healthcheck?.test).toContain("4222")
  })
})
