/** What the runtime counts; names are public, see the README. */
import { Metric } from "effect"

export const evaluationsTotal = Metric.counter("sluice_messages_handled_total", { incremental: true })
export const batchSeconds = Metric.histogram("sluice_batch_seconds", {
  boundaries: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5],
})
export const deadLettersTotal = Metric.counter("sluice_dead_letters_total", { incremental: true })
export const redeliveriesTotal = Metric.counter("sluice_redeliveries_total", { incremental: true })
