/** How the API server words each refusal (`meta/v1.Status`). */
import type { JsonObject } from '../../../../shared/core/json.ts';
import { defined } from '../../../../shared/core/defined.ts';

export interface StatusError {
  /** The HTTP status. */
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly details?: JsonObject;
}

export type StatusResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refusal: StatusError };

export const done = <T>(value: T): StatusResult<T> => ({ ok: true, value });
export const refuse = (refusal: StatusError): { readonly ok: false; readonly refusal: StatusError } => ({
  ok: false,
  refusal,
});

/** Which object is spoken of. */
export interface About {
  /** `pods`, or `leases.coordination.k8s.io`. */
  readonly kind: string;
  readonly name: string;
}

export const notFound = ({ kind, name }: About): StatusError => ({
  code: 404,
  reason: 'NotFound',
  message: `${kind} "${name}" not found`,
  details: { name, kind },
});

export const alreadyExists = ({ kind, name }: About): StatusError => ({
  code: 409,
  reason: 'AlreadyExists',
  message: `${kind} "${name}" already exists`,
  details: { name, kind },
});

export const conflict = ({ kind, name }: About, why: string): StatusError => ({
  code: 409,
  reason: 'Conflict',
  message: `Operation cannot be fulfilled on ${kind} "${name}": ${why}`,
  details: { name, kind },
});

export const changed = (about: About): StatusError =>
  conflict(about, 'the object has been modified; please apply your changes to the latest version and try again');

export const uidDiffers = (about: About, asked: string, actual: string): StatusError =>
  conflict(
    about,
    `the UID in the precondition (${asked}) does not match the UID in record (${actual}). The object might have been deleted and then recreated`,
  );

export const forbidden = ({ kind, name }: About, why: string): StatusError => ({
  code: 403,
  reason: 'Forbidden',
  message: `${kind}${name === '' ? '' : ` "${name}"`} is forbidden: ${why}`,
  details: { name, kind },
});

export const badRequest = (message: string): StatusError => ({ code: 400, reason: 'BadRequest', message });

export const unauthorized: StatusError = { code: 401, reason: 'Unauthorized', message: 'Unauthorized' };

export const methodNotAllowed = (message: string): StatusError => ({ code: 405, reason: 'MethodNotAllowed', message });

export const unsupportedMediaType = (message: string): StatusError => ({
  code: 415,
  reason: 'UnsupportedMediaType',
  message,
});

export const expired = (message: string): StatusError => ({ code: 410, reason: 'Expired', message });

export const versionTooLarge = (asked: string, current: string): StatusError => ({
  code: 504,
  reason: 'Timeout',
  message: `Too large resource version: ${asked}, current: ${current}`,
  details: { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }] },
});

/** One thing that is wrong with an object. */
export interface FieldFault {
  /** `spec.containers[0].name`. */
  readonly field: string;
  readonly reason:
    | 'FieldValueRequired'
    | 'FieldValueInvalid'
    | 'FieldValueForbidden'
    | 'FieldValueNotSupported'
    | 'FieldValueDuplicate';
  /** Begins as the server's: `Required value: …`, `Invalid value: …`, `Forbidden: …`. */
  readonly message: string;
}

/** 422, naming every field. */
export function invalid(kind: string, name: string, faults: readonly FieldFault[]): StatusError {
  const sentences = faults.map(({ field, message }) => `${field}: ${message}`);
  const all = sentences.length === 1 ? (sentences[0] ?? '') : `[${sentences.join(', ')}]`;
  return {
    code: 422,
    reason: 'Invalid',
    message: `${kind} "${name}" is invalid: ${all}`,
    details: { name, kind, causes: faults.map((fault) => ({ ...fault })) },
  };
}

/** `meta/v1.Status` as JSON. */
export const statusJson = ({ code, reason, message, details }: StatusError): JsonObject => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message,
  reason,
  ...defined({ details }),
  code,
});
