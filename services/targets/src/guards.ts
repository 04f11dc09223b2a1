/** The guard rows a target's commits take; `rolloutGuard` is the rules'. */

/** Shared by every offer of a job, updated by whoever stops a workspace: the two see each other, whichever comes first. */
export const stopGuard = (workspaceId: string): string => `stop:${workspaceId}`

/** Updated by every failure for good: thresholds of rollback rules count over a whole deployment. */
export const failureGuard = (deploymentId: string): string => `failure:${deploymentId}`
