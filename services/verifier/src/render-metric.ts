/**
 * A metric with its templates filled in: URL, header values and body of an `http` provider, and both conditions, over the
 * verification context. A key that is not there is an error that names it; `default` makes one optional.
 */
import type { JsonObject } from "@sluice/domain/json"
import type { HttpProvider, MetricSpec } from "@sluice/domain/verification"
import { compile, render } from "@sluice/templates/template"
import type { Conditions } from "./classify.ts"

export type Rendered<A> = { readonly ok: true; readonly value: A } | { readonly ok: false; readonly message: string }

export interface HttpRequest {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export const renderConditions = (spec: MetricSpec, context: JsonObject): Rendered<Conditions> => {
  const success = renderField("successCondition", spec.successCondition, context)
  if (!success.ok) return success
  if (spec.failureCondition === undefined) return { ok: true, value: { success: success.value } }
  const failure = renderField("failureCondition", spec.failureCondition, context)
  return failure.ok ? { ok: true, value: { success: success.value, failure: failure.value } } : failure
}

export const renderRequest = (provider: HttpProvider, context: JsonObject): Rendered<HttpRequest> => {
  const url = renderField("url", provider.url, context)
  if (!url.ok) return url
  const body = renderField("body", provider.body ?? "", context)
  if (!body.ok) return body
  const headers: Array<[string, string]> = []
  for (const [name, template] of Object.entries(provider.headers ?? {})) {
    const value = renderField(`header ${name}`, template, context)
    if (!value.ok) return value
    headers.push([name, value.value])
  }
  const method = provider.method ?? "GET"
  return { ok: true, value: { url: url.value, method, headers: Object.fromEntries(headers), body: body.value } }
}

const renderField = (field: string, text: string, context: JsonObject): Rendered<string> => {
  const compiled = compile(text)
  if (!compiled.ok) return { ok: false, message: `${field}: ${compiled.message}` }
  const rendered = render(compiled.template, context, { missing: "error" })
  return rendered.ok ? { ok: true, value: rendered.text } : { ok: false, message: `${field}: ${rendered.message}` }
}
