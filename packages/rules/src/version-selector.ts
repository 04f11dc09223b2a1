/**
 * versionSelector: only versions for which an expression holds. Unlike a policy's own selector it fails closed: what
 * cannot be evaluated is denied. Source: semantics 4.9.
 */
import { allow } from "@sluice/domain/verdict"
import { deny, type Gate } from "./gate.ts"
import { policiesSubject } from "./wait-subject.ts"

export const versionSelector: Gate<"versionSelector"> = ({ body }, { subject, candidate, expressions }) => {
  const { version } = candidate
  const { environment, resource, deployment } = subject
  const tested = expressions.test("versionSelector", body.selector, { version, environment, resource, deployment })
  const details = { expression: body.selector, version_id: version.id, version_tag: version.tag }
  if (tested._tag === "Match") return allow({ details })
  // Nothing but an edit changes this answer: of the policy, or of an entity, which reconciles the target anyway.
  const on = [policiesSubject(subject.workspaceId)]
  if (tested._tag === "Failed") {
    return deny(`the version selector cannot be evaluated: ${tested.message}`, on, {
      details: { ...details, error: tested.message },
    })
  }
  const described = body.description === undefined ? body.selector : `${body.description} (${body.selector})`
  const missing = tested.missingKey === undefined ? "" : `: there is no ${tested.missingKey}`
  return deny(`${version.tag} does not match ${described}${missing}`, on, { details })
}
