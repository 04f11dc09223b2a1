/** Versions: what CI publishes. Unique by (deployment, tag); candidates are ordered by `createdAt`, then id, newest first. */
import { Schema } from "effect"

/** `paused` cannot be sent on creation; it comes by PATCH only. */
export const VersionStatus = Schema.Literals(["unspecified", "building", "ready", "failed", "rejected", "paused"])
export type VersionStatus = typeof VersionStatus.Type

export type StatusGate = "allow" | "deny" | "onlyIfReleased"

/** May a version of this status be started? `paused` only where this target already has a release of it. */
export const statusGate = (status: VersionStatus): StatusGate => {
  switch (status) {
    case "ready":
      return "allow"
    case "paused":
      return "onlyIfReleased"
    case "unspecified":
    case "building":
    case "failed":
    case "rejected":
      return "deny"
  }
}
