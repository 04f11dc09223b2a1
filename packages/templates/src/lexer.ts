// Cuts a template into tokens: literal text with trim markers already applied, and what stands between `{{` and `}}`.
// Comments are gone after this. Knows how words are spelled, not what they mean: `if` and `index` are both identifiers.

export type Token =
  | { readonly kind: "text"; readonly at: number; readonly text: string }
  | {
      readonly kind: "open" | "close" | "pipe" | "leftParen" | "rightParen" | "declare" | "assign" | "comma" | "dot"
      readonly at: number
      readonly spaced: boolean
    }
  /** `.name`, without its dot. */
  | { readonly kind: "field"; readonly at: number; readonly spaced: boolean; readonly name: string }
  | { readonly kind: "identifier" | "variable"; readonly at: number; readonly spaced: boolean; readonly name: string }
  | { readonly kind: "string"; readonly at: number; readonly spaced: boolean; readonly value: string }
  | { readonly kind: "number"; readonly at: number; readonly spaced: boolean; readonly value: number }

/** Stops lexing or parsing; `at` is an offset into the template. Caught in `template.ts`, never leaves the package. */
export class SyntaxFault extends Error {
  readonly at: number

  constructor(at: number, message: string) {
    super(message)
    this.at = at
  }
}

const spaces = " \t\r\n"
const word = /[\p{L}\p{Nd}_]+/uy
const number =
  /[+-]?(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?)/y
const comment = /\/\*[\s\S]*?\*\//y

/** Tokens in order of appearance; every `open` is followed by its `close`. Throws `SyntaxFault`. */
export function tokenize(text: string): ReadonlyArray<Token> {
  const tokens: Array<Token> = []
  let at = 0
  let trimNext = false
  while (at < text.length) {
    const open = text.indexOf("{{", at)
    const end = open === -1 ? text.length : open
    const trimThis = open !== -1 && text[open + 2] === "-" && isSpace(text[open + 3])
    let literal = text.slice(at, end)
    if (trimNext) literal = literal.replace(/^[ \t\r\n]+/, "")
    if (trimThis) literal = trimEnd(literal)
    if (literal !== "") tokens.push({ kind: "text", at, text: literal })
    if (open === -1) break
    const action = readAction(text, open, open + (trimThis ? 3 : 2), tokens)
    at = action.end
    trimNext = action.trims
  }
  return tokens
}

/** By hand: the regular expression for this is quadratic in a long run of spaces. */
function trimEnd(literal: string): string {
  let end = literal.length
  while (end > 0 && isSpace(literal[end - 1])) end--
  return literal.slice(0, end)
}

/** Reads one action up to and including its `}}`. `start` is just after `{{` or `{{-`. */
function readAction(text: string, open: number, start: number, tokens: Array<Token>): { end: number; trims: boolean } {
  // As in Go, only a trim marker may stand between the delimiter and a comment.
  const commentStart = text[start - 1] === "-" ? skipSpaces(text, start) : start
  const ended = match(comment, text, commentStart)
  if (ended !== undefined) return closeComment(text, open, commentStart + ended.length)
  if (text.startsWith("/*", commentStart)) throw new SyntaxFault(open, "the comment is not closed")

  tokens.push({ kind: "open", at: open, spaced: false })
  let at = start
  while (true) {
    const token = skipSpaces(text, at)
    const spaced = token > at || at === start
    if (token >= text.length) throw new SyntaxFault(open, "the action is not closed: }} is missing")
    const trims = token > at && text.startsWith("-}}", token)
    if (trims || text.startsWith("}}", token)) {
      tokens.push({ kind: "close", at: token, spaced })
      return { end: token + (trims ? 3 : 2), trims }
    }
    at = readToken(text, token, spaced, tokens)
  }
}

function closeComment(text: string, open: number, afterComment: number): { end: number; trims: boolean } {
  const at = skipSpaces(text, afterComment)
  if (at > afterComment && text.startsWith("-}}", at)) return { end: at + 3, trims: true }
  if (text.startsWith("}}", afterComment)) return { end: afterComment + 2, trims: false }
  throw new SyntaxFault(open, "a comment must stand alone: }} must follow */ directly")
}

const symbols = [
  ["|", "pipe"],
  ["(", "leftParen"],
  [")", "rightParen"],
  [":=", "declare"],
  ["=", "assign"],
  [",", "comma"],
] as const

/** Reads one token inside an action and returns the offset after it. */
function readToken(text: string, at: number, spaced: boolean, tokens: Array<Token>): number {
  const first = text[at] as string
  const symbol = symbols.find(([spelling]) => text.startsWith(spelling, at))
  if (symbol !== undefined) {
    tokens.push({ kind: symbol[1], at, spaced })
    return at + symbol[0].length
  }
  if (first === '"') return readQuoted(text, at, spaced, tokens)
  if (first === "`") {
    const end = text.indexOf("`", at + 1)
    if (end === -1) throw new SyntaxFault(at, "the raw string is not closed")
    // As in Go, carriage returns are no part of a raw string.
    tokens.push({ kind: "string", at, spaced, value: text.slice(at + 1, end).replaceAll("\r", "") })
    return end + 1
  }
  if (/[0-9]/.test(first) || (/[.+-]/.test(first) && /[.0-9]/.test(text[at + 1] ?? ""))) {
    const digits = match(number, text, at)
    if (digits !== undefined) return readNumber(text, at, spaced, digits, tokens)
  }
  if (first === ".") {
    const name = match(word, text, at + 1)
    if (name === undefined) {
      tokens.push({ kind: "dot", at, spaced })
      return at + 1
    }
    tokens.push({ kind: "field", at, spaced, name })
    return expectEnd(text, at + 1 + name.length, `.${name}`, "|().}")
  }
  if (first === "$") {
    const name = match(word, text, at + 1) ?? ""
    tokens.push({ kind: "variable", at, spaced, name: `$${name}` })
    return at + 1 + name.length
  }
  const name = match(word, text, at)
  if (name === undefined) throw new SyntaxFault(at, `unexpected ${show(text, at)}`)
  tokens.push({ kind: "identifier", at, spaced, name })
  return expectEnd(text, at + name.length, name, "|()}")
}

/** A name must end where a name can end: `.my-key` is a frequent mistake and not a subtraction. */
function expectEnd(text: string, at: number, name: string, ends: string): number {
  const next = text[at]
  if (next === undefined || isSpace(next) || ends.includes(next)) return at
  throw new SyntaxFault(
    at,
    `unexpected ${show(text, at)} after ${name}; a key with other characters is read with index`,
  )
}

function readNumber(text: string, at: number, spaced: boolean, digits: string, tokens: Array<Token>): number {
  const end = at + digits.length
  const next = text[end]
  const sign = digits.startsWith("-") ? -1 : 1
  const value = sign * Number(digits.replace(/^[+-]/, "").replaceAll("_", ""))
  const ended = next === undefined || isSpace(next) || "|)}".includes(next)
  if (!ended || Number.isNaN(value)) throw new SyntaxFault(at, "this is not a number")
  tokens.push({ kind: "number", at, spaced, value })
  return end
}

const escapes: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
}
const codePoint = /x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})/y

function readQuoted(text: string, start: number, spaced: boolean, tokens: Array<Token>): number {
  let value = ""
  let at = start + 1
  while (true) {
    const next = text[at]
    if (next === undefined || next === "\n") throw new SyntaxFault(start, "the string is not closed")
    if (next === '"') break
    if (next !== "\\") {
      value += next
      at++
      continue
    }
    const simple = escapes[text[at + 1] ?? ""]
    if (simple !== undefined) {
      value += simple
      at += 2
      continue
    }
    const coded = match(codePoint, text, at + 1)
    if (coded === undefined)
      throw new SyntaxFault(at, `unknown escape ${show(text, at)}${text[at + 1] ?? ""} in a string`)
    const code = /^[0-7]/.test(coded) ? Number.parseInt(coded, 8) : Number.parseInt(coded.slice(1), 16)
    if (code > 0x10ffff) throw new SyntaxFault(at, "there is no such character")
    value += String.fromCodePoint(code)
    at += 1 + coded.length
  }
  tokens.push({ kind: "string", at: start, spaced, value })
  return at + 1
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

function skipSpaces(text: string, from: number): number {
  let at = from
  while (isSpace(text[at])) at++
  return at
}

function isSpace(character: string | undefined): boolean {
  return character !== undefined && spaces.includes(character)
}

function show(text: string, at: number): string {
  return String.fromCodePoint(text.codePointAt(at) ?? 0)
}
