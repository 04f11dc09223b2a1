/**
 * The gate that every version passes before any rule: its own status. A paused version stays where it has been released
 * and goes nowhere else. Source: semantics 1.3, the designed table.
 */

import { allow, type Verdict } from "@sluice/domain/verdict"
import { statusGate, type VersionStatus } from "@sluice/domain/version"
import { deny, type GateContext } from "./gate.ts"

/** Waits on nothing: an edit of a version reconciles the targets of its deployment. */
export const versionStatusGate = (context: Pick<GateContext, "candidate" | "history">): Verdict => {
  const { version } = context.candidate
  const gate = statusGate(version.status)
  if (gate === "allow") return allow()
  if (gate === "onlyIfReleased") {
    if (context.history.releasedVersionIds.includes(version.id)) return allow()
    return deny(`${version.tag} is paused and was never released here`, [])
  }
  return deny(`${version.tag} ${sentence[version.status]}`, [])
}

const sentence: Record<VersionStatus, string> = {
  ready: "is ready",
  paused: "is paused",
  building: "is still building",
  failed: "failed to build",
  rejected: "was rejected",
  unspecified: "has no status",
}
