// The tree a template parses to. `at` is an offset into the template's text, for messages.

export type Node =
  | { readonly kind: "text"; readonly at: number; readonly text: string }
  | { readonly kind: "action"; readonly at: number; readonly pipeline: Pipeline }

/** `a | f b | g c`: each command's value is the last argument of the next one. Never empty. */
export interface Pipeline {
  readonly at: number
  readonly commands: ReadonlyArray<Command>
}

export type Command =
  | { readonly kind: "value"; readonly at: number; readonly operand: Operand }
  | { readonly kind: "call"; readonly at: number; readonly name: string; readonly args: ReadonlyArray<Operand> }

export type Operand =
  | { readonly kind: "literal"; readonly at: number; readonly value: string | number | boolean }
  /** `.a.b` has fields a and b; `.` alone has none. */
  | { readonly kind: "path"; readonly at: number; readonly fields: ReadonlyArray<string> }
  /** `(…)` and `(…).a.b`. */
  | { readonly kind: "group"; readonly at: number; readonly pipeline: Pipeline; readonly fields: ReadonlyArray<string> }
