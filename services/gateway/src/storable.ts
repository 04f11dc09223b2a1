/**
 * What no store of ours can hold, found before anything is written: null characters and halves of surrogate pairs, which
 * Postgres refuses in text and JSON, and nesting so deep that reading it again would exhaust a stack. Pure; walks with a
 * list of its own, so that the depth it measures cannot hurt it.
 */

/** As deep as expressions and templates follow a value: what lies deeper could be stored, and never be read. */
export const jsonDepthMax = 64

/** The first thing wrong, as "where: what"; `undefined` when the value can be stored. `name` stands for the whole. */
export const unstorable = (value: unknown, name: string): string | undefined => {
  const open: Array<{ readonly value: unknown; readonly path: string; readonly depth: number }> = [
    { value, path: name, depth: 0 },
  ]
  for (let each = open.pop(); each !== undefined; each = open.pop()) {
    const { value, path, depth } = each
    if (typeof value === "string") {
      const fault = textFault(value)
      if (fault !== undefined) return `${path}: ${fault}`
    }
    if (typeof value !== "object" || value === null) continue
    if (depth === jsonDepthMax) return `${name}: nests deeper than ${jsonDepthMax} levels`
    for (const [key, member] of Object.entries(value)) {
      const fault = textFault(key)
      if (fault !== undefined) return `${path}: a key ${fault}`
      open.push({ value: member, path: `${path}.${key}`, depth: depth + 1 })
    }
  }
  return undefined
}

/** What is wrong with a text on its own. */
export const textFault = (text: string): string | undefined => {
  if (text.includes("\0")) return "holds a null character"
  return text.isWellFormed() ? undefined : "holds half a surrogate pair"
}
