/** The timers of a verification, two per metric, told apart by name. */

export const probeTimer = (metric: number): string => `probe-${metric}`
export const deadlineTimer = (metric: number): string => `deadline-${metric}`

export const readTimerName = (
  name: string,
): { readonly kind: "probe" | "deadline"; readonly metric: number } | undefined => {
  const [, kind, metric] = /^(probe|deadline)-(\d+)$/.exec(name) ?? []
  return kind === undefined ? undefined : { kind: kind as "probe" | "deadline", metric: Number(metric) }
}
