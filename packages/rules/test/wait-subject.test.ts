import { describe, expect, it } from "vitest"
import * as subjects from "../src/wait-subject.ts"
import { production, subject } from "./given.ts"

describe("wait subjects", () => {
  const { deployment, workspaceId, key } = subject()
  const scope = { deploymentId: deployment.id, environmentId: production.id }
  const all = [
    subjects.approvalSubject(scope),
    subjects.progressionSubject(scope),
    subjects.rolloutSubject(scope),
    subjects.rolloutFailureSubject(scope),
    subjects.neighbourSubject(key),
    subjects.rollbackSubject(scope),
    subjects.rollbackSubject({ deploymentId: deployment.id }),
    subjects.membershipSubject(scope),
    subjects.environmentsSubject(workspaceId),
    subjects.policiesSubject(workspaceId),
  ]

  it("are all different, so that no fact wakes who waits for another", () => {
    expect(new Set(all).size).toBe(all.length)
    expect(all).toHaveLength(Object.keys(subjects).length + 1)
  })
})
