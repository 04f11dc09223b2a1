/** What the demonstration's driver remembers over its own restarts: how far its story was told, and where it crashed things. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"

interface Remembered {
  /** Sequence of the last event of the workspace that was shown. */
  readonly shown: number
  /** Scenes in which the services were killed already. */
  readonly crashed: ReadonlyArray<number>
}

export interface Memory {
  readonly read: () => Remembered
  readonly write: (change: Partial<Remembered>) => void
}

export const openMemory = (directory: string): Memory => {
  mkdirSync(directory, { recursive: true })
  const file = join(directory, "driver.json")
  let kept: Remembered = existsSync(file)
    ? (JSON.parse(readFileSync(file, "utf8")) as Remembered)
    : { shown: 0, crashed: [] }
  return {
    read: () => kept,
    write: change => {
      kept = { ...kept, ...change }
      writeFileSync(`${file}.new`, JSON.stringify(kept))
      renameSync(`${file}.new`, file)
    },
  }
}
