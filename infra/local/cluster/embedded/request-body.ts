import type { IncomingMessage } from 'node:http';
import { isJsonObject } from '../../../../shared/core/json.ts';
import type { Json, JsonObject } from '../../../../shared/core/json.ts';
import { badRequest, done, refuse, unsupportedMediaType } from '../../sim/api-server/status-error.ts';
import type { StatusResult } from '../../sim/api-server/status-error.ts';

/** `--max-request-body` of an API server. */
export const maxBodyBytes = 3 * 1024 * 1024;

/** The whole body; undefined when it is larger than 3 MiB. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const part = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += part.length;
    if (size <= maxBodyBytes) chunks.push(part);
    // A little over the limit is read to its end, so that the answer arrives.
    if (size > maxBodyBytes * 2) return undefined;
  }
  return size > maxBodyBytes ? undefined : Buffer.concat(chunks);
}

/** The media type of a request, without its parameters; JSON unless it says otherwise. */
export const mediaType = (request: IncomingMessage): string =>
  (request.headers['content-type'] ?? 'application/json').split(';')[0]?.trim().toLowerCase() ?? '';

/** A body that has to be one object. */
export function parseObject(body: Buffer, type: string): StatusResult<JsonObject> {
  if (type !== 'application/json') return refuse(unsupportedMediaType(unknownFormat));
  const parsed = parseText(body);
  if (!parsed.ok) return parsed;
  return isJsonObject(parsed.value) ? done(parsed.value) : refuse(badRequest('the body of the request is no object'));
}

const unknownFormat =
  'the body of the request was in an unknown format - the embedded cluster reads application/json alone: kubectl apply sends it, kubectl create sends protobuf; a real one (npm start -- --cluster real) reads all';

/** Any JSON. What it says stays out of the refusal: it may be a Secret. */
export function parseText(body: Buffer): StatusResult<Json> {
  try {
    const value: Json = JSON.parse(body.toString('utf8'));
    return done(value);
  } catch {
    return refuse(
      badRequest('the object provided is unrecognized (must be of type JSON): the embedded cluster reads no YAML'),
    );
  }
}
