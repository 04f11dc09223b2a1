// The text of the embedded NATS server's configuration and of its users: plain functions of values. Users lie in a file
// of their own that the main one includes, so that one can be added and the server told to read again without touching
// anything else. What each role may publish and subscribe is decided by the caller.
import { Schema } from "effect"

/** A name and a password, and the subjects it may use; empty lists allow nothing, absent ones everything. */
export const NatsUser = Schema.Struct({
  name: Schema.String.pipe(Schema.check(Schema.isPattern(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/))),
  // A "$" at the start would make the server take the text for a hash or a variable.
  password: Schema.String.pipe(Schema.check(Schema.isPattern(/^[\x21-\x23\x25-\x7e][\x21-\x7e]{7,199}$/))),
  permissions: Schema.optionalKey(
    Schema.Struct({ publish: Schema.Array(SubjectPattern()), subscribe: Schema.Array(SubjectPattern()) }),
  ),
})
export type NatsUser = typeof NatsUser.Type

function SubjectPattern() {
  return Schema.String.pipe(Schema.check(Schema.isPattern(/^[^\s"\\.]+(\.[^\s"\\.]+)*$/)))
}

export interface NatsServerConfig {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly storeDirectory: string
  readonly usersFile: string
  /** Fsync before every acknowledgement. Needed against power failures only: a crash of any process leaves the page cache intact. */
  readonly syncAlways: boolean
}

export const payloadBytesMax = 8 * 1024 * 1024 // the server warns above 8 MB; a version's config stays far below
const memoryStoreBytesMax = 256 * 1024 * 1024 // Sluice keeps streams in files; this bounds a user's mistake
const fileStoreBytesMax = 20 * 1024 * 1024 * 1024 // mailboxes age out; a laptop's disk must not fill before anyone looks

export const natsConfigText = (
  config: NatsServerConfig,
): string => `# Written by Sluice at every start; changes are lost.
server_name: ${quoted(config.name)}
host: ${quoted(config.host)}
port: ${config.port}
max_payload: ${payloadBytesMax}
jetstream {
  store_dir: ${quoted(config.storeDirectory)}
  max_memory_store: ${memoryStoreBytesMax}
  max_file_store: ${fileStoreBytesMax}
${config.syncAlways ? "  sync_interval: always\n" : ""}}
include ${quoted(config.usersFile)}
`

/** Everyone needs credentials: there is no user that is used when none are given. */
export const natsUsersText = (
  users: ReadonlyArray<NatsUser>,
): string => `# Written by Sluice from users.json; changes are lost.
authorization {
  users = [
${users.map(userText).join("\n")}
  ]
}
`

const userText = ({ name, password, permissions }: NatsUser): string => {
  const allowed =
    permissions === undefined
      ? ""
      : `, permissions: { publish: ${listText(permissions.publish)}, subscribe: ${listText(permissions.subscribe)} }`
  return `    { user: ${quoted(name)}, password: ${quoted(password)}${allowed} }`
}

/** An empty list of allowed subjects would allow all, so it is written as a denial. */
const listText = (subjects: ReadonlyArray<string>): string =>
  subjects.length === 0 ? `{ deny: ">" }` : `{ allow: [${subjects.map(quoted).join(", ")}] }`

/** Double quotes keep the server from reading variables, numbers and durations into a text; its escapes are JSON's. */
const quoted = (text: string): string => JSON.stringify(text)
