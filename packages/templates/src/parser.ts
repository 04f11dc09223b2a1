// From tokens to a tree, by recursive descent. Everything that can be refused without a context is refused here, so that a
// template is checked when it is saved: unknown functions, wrong numbers of arguments, parts of the language still to come.
import { functionNamed } from "./functions.ts"
import { SyntaxFault, type Token } from "./lexer.ts"
import type { Command, Node, Operand, Pipeline } from "./syntax.ts"

/** How deep brackets may nest. Parser and evaluator are recursive; nobody writes ten. */
export const nestingMax = 50

/** Tokens that cannot begin a value, as people write them. */
const spellings: Readonly<Record<string, string>> = { declare: ":=", assign: "=", comma: "," }

const keywords = new Set(["if", "else", "end", "range", "with", "define", "template", "block", "break", "continue"])

export function parseTokens(tokens: ReadonlyArray<Token>): ReadonlyArray<Node> {
  const parser = new Parser(tokens)
  return parser.nodes()
}

class Parser {
  readonly #tokens: ReadonlyArray<Token>
  #next = 0
  #depth = 0

  constructor(tokens: ReadonlyArray<Token>) {
    this.#tokens = tokens
  }

  nodes(): ReadonlyArray<Node> {
    const nodes: Array<Node> = []
    for (let token = this.#take(); token !== undefined; token = this.#take()) {
      if (token.kind === "text") nodes.push(token)
      // The lexer yields text and whole actions only.
      else nodes.push({ kind: "action", at: token.at, pipeline: this.#pipeline(token.at, "close") })
    }
    return nodes
  }

  /** Reads up to and including the token that ends it. */
  #pipeline(at: number, end: "close" | "rightParen"): Pipeline {
    const commands: Array<Command> = []
    while (true) {
      commands.push(this.#command(at, commands.length > 0))
      const token = this.#take()
      if (token?.kind === end) return { at, commands }
      if (token?.kind === "pipe") continue
      if (token?.kind === "rightParen") throw new SyntaxFault(token.at, "unexpected )")
      throw new SyntaxFault(at, "the ( is not closed")
    }
  }

  #command(pipelineAt: number, piped: boolean): Command {
    const first = this.#peek()
    if (first === undefined || isEnd(first)) {
      throw new SyntaxFault(first?.at ?? pipelineAt, piped ? "a function must follow the |" : "there is no value here")
    }
    if (first.kind === "identifier" && first.name !== "true" && first.name !== "false") return this.#call(first, piped)
    const operand = this.#operand()
    if (piped) throw new SyntaxFault(operand.at, "only a function can follow a |")
    const extra = this.#peek()
    if (extra !== undefined && !isEnd(extra)) {
      const spelling = spellings[extra.kind]
      if (spelling !== undefined) throw new SyntaxFault(extra.at, `unexpected ${spelling}`)
      throw new SyntaxFault(extra.at, "only a function can take arguments, and what stands before this is none")
    }
    return { kind: "value", at: operand.at, operand }
  }

  #call(name: Token & { kind: "identifier" | "variable" }, piped: boolean): Command {
    this.#next++
    if (keywords.has(name.name)) throw new SyntaxFault(name.at, `{{${name.name}}} is not supported yet`)
    const known = functionNamed(name.name)
    if (known === undefined) throw new SyntaxFault(name.at, `the function ${name.name} is not supported yet`)
    const args: Array<Operand> = []
    for (let token = this.#peek(); token !== undefined && !isEnd(token); token = this.#peek())
      args.push(this.#operand())
    const count = args.length + (piped ? 1 : 0)
    if (count < known.argumentsMin || count > known.argumentsMax) {
      throw new SyntaxFault(name.at, `${name.name} takes ${known.takes}, and gets ${count}`)
    }
    return { kind: "call", at: name.at, name: name.name, args }
  }

  #operand(): Operand {
    const token = this.#take() as Token
    switch (token.kind) {
      case "string":
      case "number":
        return { kind: "literal", at: token.at, value: token.value }
      case "dot":
        return { kind: "path", at: token.at, fields: [] }
      case "field":
        return { kind: "path", at: token.at, fields: [token.name, ...this.#fields()] }
      case "leftParen": {
        if (++this.#depth > nestingMax)
          throw new SyntaxFault(token.at, `brackets nest deeper than ${nestingMax} levels`)
        const pipeline = this.#pipeline(token.at, "rightParen")
        this.#depth--
        return { kind: "group", at: token.at, pipeline, fields: this.#fields() }
      }
      case "variable":
        throw new SyntaxFault(token.at, "variables are not supported yet")
      case "identifier": {
        if (token.name === "true" || token.name === "false") {
          return { kind: "literal", at: token.at, value: token.name === "true" }
        }
        if (token.name === "nil") throw new SyntaxFault(token.at, "nil is not supported yet")
        throw new SyntaxFault(token.at, `${token.name} cannot be an argument; a call goes in brackets`)
      }
      default:
        throw new SyntaxFault(token.at, `unexpected ${spellings[token.kind] ?? token.kind}`)
    }
  }

  /** Fields written against what stands before them, as in `(…).a`; ` .a` with a space is another argument. */
  #fields(): ReadonlyArray<string> {
    const fields: Array<string> = []
    for (let token = this.#peek(); token?.kind === "field" && !token.spaced; token = this.#peek()) {
      fields.push(token.name)
      this.#next++
    }
    return fields
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#next]
  }

  #take(): Token | undefined {
    return this.#tokens[this.#next++]
  }
}

function isEnd(token: Token): boolean {
  return token.kind === "close" || token.kind === "pipe" || token.kind === "rightParen"
}
