/**
 * What verifications of a story look at: one HTTP server whose every path `/<resource>/<tag>` answers `{version, errorRate}`.
 * Healthy unless told otherwise before the story begins.
 */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

export interface StorySite {
  /** Of the metric, with templates for resource and version. */
  readonly url: string
  readonly fails: (resource: string, tag: string) => void
  readonly heals: (resource: string, tag: string) => void
  /** `<resource>/<tag>` of every probe, in order. */
  readonly asked: ReadonlyArray<string>
  readonly close: () => Promise<void>
}

const failingErrorRate = 0.3

export const openStorySite = async (): Promise<StorySite> => {
  const failing = new Set<string>()
  const asked: Array<string> = []
  const server = createServer((request, response) => {
    const name = decodeURIComponent((request.url ?? "").slice(1))
    asked.push(name)
    response.setHeader("content-type", "application/json")
    response.end(JSON.stringify({ version: name.split("/")[1], errorRate: failing.has(name) ? failingErrorRate : 0 }))
  })
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/{{ .resource.name }}/{{ .version.tag }}`,
    fails: (resource, tag) => void failing.add(`${resource}/${tag}`),
    heals: (resource, tag) => void failing.delete(`${resource}/${tag}`),
    asked,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
