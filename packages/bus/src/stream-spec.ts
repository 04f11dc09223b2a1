/**
 * What a stream and its durable consumers should be, in our own words and units. `nats/topology.ts` is a list of these,
 * `admin.ts` makes the broker agree with it. Only what Sluice varies is here; what is the same for every stream (file
 * storage, per-message time-to-live) stands in `admin.ts`.
 */

export interface StreamSpec {
  readonly name: string
  readonly description: string
  readonly subjects: ReadonlyArray<string>
  /** `limits`: messages age out. `workqueue`: an acknowledgement removes them. */
  readonly retention: "limits" | "workqueue"
  /** Milliseconds a message is kept; absent: until its retention removes it. */
  readonly maxAge?: number
  /** More on one subject are refused, never replaced; absent: any number. */
  readonly messagesPerSubjectMax?: number
  /** Milliseconds in which a message id is recognised as a repeat. */
  readonly duplicateWindow: number
  readonly replicas: number
  /** Durable pull consumers. Readers of partitions bring their own and are not here. */
  readonly consumers: ReadonlyArray<ConsumerSpec>
}

/** Explicit ack, redelivered without end: what may be given up is decided by the handler, never by the broker. */
export interface ConsumerSpec {
  readonly name: string
  readonly filterSubject: string
  /** Milliseconds without a sign of life after which the broker delivers again. */
  readonly ackWait: number
  /** Deliveries that may be waiting for their verdict at one time, over all processes. */
  readonly ackPendingMax: number
}
