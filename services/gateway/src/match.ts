/**
 * Which operation a request means. Pure. Literal segments match case-insensitively, one trailing slash is tolerated, an
 * empty segment matches nothing, and a parameter is percent-decoded exactly once, after splitting, so that `%2F` stays
 * inside its segment.
 */
import type { Method, Operation } from "@sluice/api/operation"

export type Match<R> =
  | { readonly _tag: "Found"; readonly route: R; readonly params: Readonly<Record<string, string>> }
  /** The path is known, the method is not. */
  | { readonly _tag: "WrongMethod"; readonly allowed: ReadonlyArray<Method> }
  | { readonly _tag: "Unknown" }
  /** A `%` sequence of a parameter is none. */
  | { readonly _tag: "Malformed" }

interface Pattern<R> {
  readonly route: R
  readonly method: Method
  readonly segments: ReadonlyArray<{ readonly literal: string } | { readonly name: string }>
}

/** `path` of the answer's argument is the part after `/api`, without the query. */
export const matcher = <R extends { readonly operation: Operation }>(
  routes: ReadonlyArray<R>,
): ((method: string, path: string) => Match<R>) => {
  const byLength = new Map<number, Array<Pattern<R>>>()
  for (const route of routes) {
    for (const path of [route.operation.path, ...route.operation.aliases]) {
      const segments = path.split("/").slice(1).map(segmentOf)
      const siblings = byLength.get(segments.length) ?? []
      siblings.push({ route, method: route.operation.method, segments })
      byLength.set(segments.length, siblings)
    }
  }
  // A literal wins over a parameter: `/workspaces/slug/x` is no workspace called "slug".
  const literals = (pattern: Pattern<R>) => pattern.segments.filter(segment => "literal" in segment).length
  for (const siblings of byLength.values()) siblings.sort((a, b) => literals(b) - literals(a))

  return (method, path) => {
    const given = (path.endsWith("/") ? path.slice(0, -1) : path).split("/").slice(1)
    const fitting = (byLength.get(given.length) ?? []).filter(pattern => fits(pattern, given))
    const found = fitting.find(pattern => pattern.method === method)
    if (found !== undefined) {
      const params = paramsOf(found, given)
      return params === undefined ? { _tag: "Malformed" } : { _tag: "Found", route: found.route, params }
    }
    if (fitting.length === 0) return { _tag: "Unknown" }
    return { _tag: "WrongMethod", allowed: [...new Set(fitting.map(pattern => pattern.method))] }
  }
}

const segmentOf = (segment: string) =>
  segment.startsWith("{") ? { name: segment.slice(1, -1) } : { literal: segment.toLowerCase() }

const fits = <R>(pattern: Pattern<R>, given: ReadonlyArray<string>): boolean =>
  pattern.segments.every((segment, index) =>
    "literal" in segment ? segment.literal === given[index]?.toLowerCase() : given[index] !== "",
  )

const paramsOf = <R>(pattern: Pattern<R>, given: ReadonlyArray<string>): Record<string, string> | undefined => {
  const params: Record<string, string> = {}
  for (const [index, segment] of pattern.segments.entries()) {
    if ("literal" in segment) continue
    try {
      params[segment.name] = decodeURIComponent(given[index] ?? "")
    } catch {
      return undefined // Not percent-encoding: the caller is told so.
    }
  }
  return params
}
