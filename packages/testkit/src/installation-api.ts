/**
 * The HTTP interface as its users have it: method, path, JSON, an API key. Says what was sent and what came back when an
 * answer is not the expected one. Repeats nothing, unless asked to get through an outage.
 */

export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers as the JSON they are
  readonly body: any
}

/** No request of a test takes longer, an answer awaited by a receipt included. */
const answerMillisecondsMax = 20_000
const repeatMilliseconds = 100

export class Api {
  readonly url: string
  readonly key: string
  readonly workspace: string

  /** `workspace`: id or slug, what `W` in paths stands for. */
  constructor(options: { readonly url: string; readonly key: string; readonly workspace: string }) {
    this.url = options.url
    this.key = options.key
    this.workspace = options.workspace
  }

  /** The same installation in another workspace, or with another key. */
  as(options: { readonly key?: string; readonly workspace?: string }): Api {
    return new Api({ url: this.url, key: options.key ?? this.key, workspace: options.workspace ?? this.workspace })
  }

  address(path: string): string {
    return `${this.url}/api${path.replace(/^W(?=\/|$)/, `/v1/workspaces/${this.workspace}`)}`
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const response = await fetch(this.address(path), {
      method,
      headers: {
        "X-API-Key": this.key,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(answerMillisecondsMax),
    })
    const text = await response.text()
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text) }
  }

  /** The body of a 2xx answer; anything else is the test's failure. */
  async ok(method: string, path: string, body?: unknown): Promise<Answer["body"]> {
    const answer = await this.call(method, path, body)
    if (answer.status >= 200 && answer.status < 300) return answer.body
    const sent = body === undefined ? "" : ` with ${JSON.stringify(body).slice(0, 500)}`
    throw new Error(`${method} ${path}${sent} was answered ${answer.status}: ${JSON.stringify(answer.body)}`)
  }

  get = (path: string) => this.ok("GET", path)
  post = (path: string, body?: unknown) => this.ok("POST", path, body)
  put = (path: string, body?: unknown) => this.ok("PUT", path, body)
  patch = (path: string, body?: unknown) => this.ok("PATCH", path, body)
  delete = (path: string) => this.ok("DELETE", path)

  /** Repeats while nobody answers or the answer is a 5xx: services may be down at any moment. Gives up after `seconds`. */
  async through(method: string, path: string, body?: unknown, seconds = 60): Promise<Answer> {
    const giveUpAt = Date.now() + seconds * 1_000
    let seen: unknown
    while (Date.now() < giveUpAt) {
      try {
        const answer = await this.call(method, path, body)
        if (answer.status < 500) return answer
        seen = answer
      } catch (error) {
        seen = error // refused, reset, timed out: asked again
      }
      await new Promise(resolve => setTimeout(resolve, repeatMilliseconds))
    }
    throw new Error(`${method} ${path} got no answer for ${seconds} s; last ${String(seen)} ${JSON.stringify(seen)}`)
  }
}
