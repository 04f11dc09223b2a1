/** The guard row that is the targets' own; `rolloutGuard` and `stopGuard` are the rules'. */

/** Updated by every failure for good: thresholds of rollback rules count over a whole deployment. */
export const failureGuard = (deploymentId: string): string => `failure:${deploymentId}`
