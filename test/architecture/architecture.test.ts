/** The shape of the code, held against the design: import directions, sizes, one place for subjects, lanes that run. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { lanes } from "../lanes/run.ts"
import { ownerOf, root, sourceFiles } from "./imports.ts"
import { decisionFile, linesMax, packageImports, pureEffectNames, purePackages, vendorImports } from "./rules.ts"

const ours = (specifier: string): string | undefined => /^@sluice\/([a-z-]+)/.exec(specifier)?.[1]
const sources = sourceFiles.filter(file => !ownerOf(file.path).test)

describe("imports", () => {
  it("follow the table between packages", () => {
    const wrong = sources.flatMap(file => {
      const { area, name } = ownerOf(file.path)
      if (area !== "packages") return []
      const allowed = packageImports[name] ?? []
      return file.imports
        .map(ours)
        .filter(to => to !== undefined && to !== name && !allowed.includes(to))
        .map(to => `${file.path} imports ${to}`)
    })
    expect(wrong).toEqual([])
  })

  it("never go from a package to a service, nor from a service to another but from `all`", () => {
    const wrong = sources.flatMap(file => {
      const { area, name } = ownerOf(file.path)
      if (area === "services" && name === "all") return []
      return file.imports
        .filter(to => {
          const target = ours(to)
          return target?.endsWith("-service") === true && !(area === "services" && target === `${name}-service`)
        })
        .filter(() => area === "packages" || area === "services")
        .map(to => `${file.path} imports ${to}`)
    })
    expect(wrong).toEqual([])
  })

  it("keep each vendor in its one package", () => {
    const wrong = sources.flatMap(file => {
      const { area, name } = ownerOf(file.path)
      if (area !== "packages" && area !== "services" && area !== "nats") return []
      return vendorImports.flatMap(({ vendor, only }) =>
        file.imports
          .filter(to => vendor.test(to) && !(area === "packages" ? only.includes(name) : vendor.test("effect")))
          .map(to => `${file.path} imports ${to}`),
      )
    })
    expect(wrong).toEqual([])
  })

  it("of pure packages and decision files reach no runtime", () => {
    const wrong = sources
      .filter(file => {
        const { area, name } = ownerOf(file.path)
        return (
          (area === "packages" && (purePackages as ReadonlyArray<string>).includes(name)) ||
          decisionFile.test(file.path)
        )
      })
      .flatMap(file => {
        const node = file.imports.filter(to => to.startsWith("node:")).map(to => `${file.path} imports ${to}`)
        const effect = [...file.text.matchAll(/import\s+(type\s+)?\{([^}]*)\}\s+from\s+"effect"/g)]
          .filter(match => match[1] === undefined)
          .flatMap(match => (match[2] ?? "").split(","))
          .map(name => name.trim())
          .filter(name => name !== "" && !name.startsWith("type ") && !pureEffectNames.includes(name))
          .map(name => `${file.path} imports ${name} from effect`)
        return [...node, ...effect]
      })
    expect(wrong).toEqual([])
  })
})

describe("decision files", () => {
  it("read no clock and make nothing random", () => {
    const hidden = /Date\.now\(|new Date\(\)|Math\.random\(|randomUUID\(|performance\.now\(/
    const wrong = sources
      .filter(
        file =>
          decisionFile.test(file.path) ||
          file.path.startsWith("packages/rules/src") ||
          file.path.startsWith("packages/domain/src"),
      )
      .filter(file => hidden.test(file.text))
      .map(file => file.path)
    expect(wrong).toEqual([])
  })
})

describe("files", () => {
  it("are at most 400 lines long", () => {
    expect(sourceFiles.filter(file => file.lines > linesMax).map(file => `${file.path}: ${file.lines}`)).toEqual([])
  })

  it("have no default exports and no barrels, but where a tool asks for one", () => {
    const tools = ["vitest.config.ts", "test/lanes/reporter.ts"]
    const wrong = sources
      .filter(file => !tools.includes(file.path))
      .filter(file => /^export default /m.test(file.text) || /(^|\/)index\.ts$/.test(file.path))
      .map(file => file.path)
    expect(wrong).toEqual([])
  })

  it("read the process's environment in one package only", () => {
    const wrong = sources
      .filter(file => /process\.env\b/.test(file.text))
      .map(file => file.path)
      .filter(
        path => !path.startsWith("packages/process/") && !path.startsWith("test/") && !path.startsWith("examples/"),
      )
    expect(wrong).toEqual([])
  })
})

describe("subjects", () => {
  it("are spelled in one place", () => {
    const literal =
      /[`"']\$?\{?(?:ns|namespace)\}?\.(?:intake|agent|event|hint|receipt|activity|target|job|planner|verification)\b/
    const wrong = sources
      .filter(file => file.path.endsWith(".ts") && file.path !== "packages/protocol/src/subjects.ts")
      .filter(
        file => file.path.startsWith("packages/") || file.path.startsWith("services/") || file.path.startsWith("nats/"),
      )
      .filter(file => literal.test(file.text))
      .map(file => file.path)
    expect(wrong).toEqual([])
  })
})

describe("tests", () => {
  it("lie in folders of lanes that run", () => {
    const config = readFileSync(join(root, "vitest.config.ts"), "utf8")
    for (const lane of lanes) expect(config).toContain(`name: "${lane}"`)
    const tests = sourceFiles.filter(file => /\.test\.ts$/.test(file.path)).map(file => file.path)
    const inLane = /^(packages|services|examples)\/|^test\/(architecture|stories|faults)\//
    expect(tests.filter(path => !inLane.test(path))).toEqual([])
  })

  it("that start servers are named contract tests", () => {
    const wrong = sourceFiles
      .filter(file => /\.test\.ts$/.test(file.path) && !/\.contract\.test\.ts$/.test(file.path))
      .filter(file => /^(packages|services|examples)\//.test(file.path))
      .filter(file => file.imports.some(to => /^@sluice\/testkit\/(nats|shared|servers|database)/.test(to)))
      .map(file => file.path)
    expect(wrong).toEqual([])
  })

  it("are never skipped or focused", () => {
    const wrong = sourceFiles
      .filter(file => /\.test\.ts$/.test(file.path) && file.path !== "test/architecture/architecture.test.ts")
      .filter(file => /\b(it|test|describe)(\.[a-z]+)*\.(skip|only|todo|fails)\b/.test(file.text))
      .map(file => file.path)
    expect(wrong).toEqual([])
  })
})

describe("services", () => {
  it("each say in a README what they consume, decide, send, own and never do", () => {
    for (const name of readdirSync(join(root, "services"))) {
      if (name === "all") continue
      const file = join(root, "services", name, "README.md")
      expect(existsSync(file), `services/${name}/README.md`).toBe(true)
      const text = readFileSync(file, "utf8").toLowerCase()
      for (const word of ["consumes", "decides", "sends", "owns", "never"])
        expect(text, `${name}: ${word}`).toContain(word)
    }
  })
})
