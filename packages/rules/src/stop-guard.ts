/**
 * The guard row between whoever stops something in a workspace and whoever starts a job there. One name for both sides: two
 * spellings would not conflict, and a stop that was answered could miss an offer committed beside it.
 */

/** Shared by every offer of a job, updated by whoever stops a workspace: the two see each other, whichever comes first. */
export const stopGuard = (workspaceId: string): string => `stop:${workspaceId}`
