/** A window of a list, and how many there are beyond it. */
export interface Window {
  readonly limit: number
  readonly offset: number
}
export interface Listing<Row> {
  readonly items: ReadonlyArray<Row>
  readonly total: number
}
