import type { ServerResponse } from 'node:http';
import { statusJson } from '../../sim/api-server/status-error.ts';
import type { StatusResult, StatusError } from '../../sim/api-server/status-error.ts';
import type { JsonObject } from '../../../../shared/core/json.ts';

/** What a request is answered with: a document, a text, or a stream that takes the response for itself. */
export type Answer =
  | { readonly kind: 'json'; readonly status: number; readonly body: JsonObject }
  | { readonly kind: 'text'; readonly status: number; readonly body: string; readonly contentType?: string }
  | { readonly kind: 'stream'; readonly start: (response: ServerResponse) => Promise<void> | void };

export const json = (body: JsonObject, status = 200): Answer => ({ kind: 'json', status, body });

export const refused = (refusal: StatusError): Answer => ({
  kind: 'json',
  status: refusal.code,
  body: statusJson(refusal),
});

export const answerOf = (outcome: StatusResult<JsonObject>, status = 200): Answer =>
  outcome.ok ? json(outcome.value, status) : refused(outcome.refusal);

export const pathNotFound: StatusError = {
  code: 404,
  reason: 'NotFound',
  message: 'the server could not find the requested resource',
  details: {},
};
