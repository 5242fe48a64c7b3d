import { randomUUID } from 'node:crypto';
import { verifySignature } from '../core/agent/key.ts';
import type { BucketLimits } from '../core/budget/token-bucket.ts';
import { describeFault } from '../core/fault.ts';
import type { Log } from '../ports/log.ts';
import type { Deps, NodeDeps } from './deps.ts';
import { findNodeOfPod } from './find-node-of-pod.ts';
import type { LoadedDeps } from './load-deps.ts';
import { podAllowance } from './pod-allowance.ts';
import { problem } from './run-http.ts';
import type { Answer } from './run-http.ts';

/** What is seen of a request; the shape of `HttpRequest`. */
export interface SignedRequest {
  readonly headers: { get(name: string): string | null };
  readonly params: Readonly<Record<string, string>>;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** In each thing that an agent sends: whose it is, and which key it is signed with. */
export interface SignedMessage {
  readonly podUid: string;
  readonly nonce: string;
  readonly kid: string;
}

export interface SignedRoute<T extends SignedMessage> {
  /** What this is a route for: each has allowances of its own. */
  readonly name: string;
  /** The body as JSON of that kind, strictly; undefined: it is not. */
  readonly parse: (text: string) => T | undefined;
  readonly limits: { readonly bodyBytes: number; readonly perPod: BucketLimits };
  /** The signature is right, and the pod has a row on that node. Whether the nonce is that of its present group is not known yet. */
  readonly handle: (deps: Deps, node: NodeDeps, message: T, signal: AbortSignal) => Promise<Answer>;
}

export interface SignedCall {
  readonly request: SignedRequest;
  readonly log: Log;
  readonly load: () => Promise<LoadedDeps>;
  readonly deadlineMs: number;
}

/**
 * A request of an agent, `POST /api/pods/{uid}/…`: nothing of the app but its settings is asked before the signature has been
 * shown to be of that pod. Definite, so that the agent does not send it again: 415, 413 and 400 of what is no such message,
 * 422 of one that names another pod. To be repeated: 401 without a right signature, 404 of a pod that has no row (yet),
 * 429 above the allowance that each pod has for itself in this process, 503 while the app can't. A bug is a 500.
 */
export async function answerSigned<T extends SignedMessage>(call: SignedCall, route: SignedRoute<T>): Promise<Answer> {
  const correlationId = randomUUID();
  try {
    const bytes = await bodyOf(call.request, route.limits.bodyBytes);
    if ('status' in bytes) return bytes;
    const loaded = await call.load();
    if (!loaded.ok) {
      call.log.warn('an agent can not be answered', { correlationId, faults: loaded.message });
      return again(503, 'ServiceUnavailable', `the app is not ready; its log says why under ${correlationId}`, 10);
    }
    return await answerLoaded(call, route, { deps: loaded.deps, bytes });
  } catch (error) {
    call.log.warn('request failed on a bug', {
      correlationId,
      error: error instanceof Error ? (error.stack ?? error.message) : 'not an Error',
    });
    return problem(500, 'InternalError', `an internal error; the app's log knows it under ${correlationId}`);
  }
}

async function answerLoaded<T extends SignedMessage>(
  { request, deadlineMs }: SignedCall,
  { name, parse, limits, handle }: SignedRoute<T>,
  { deps, bytes }: { readonly deps: Deps; readonly bytes: Uint8Array },
): Promise<Answer> {
  const keys = deps.settings.AGENT_ROOT_KEYS;
  if (keys === undefined) return unsigned('this app gives no agent a key');
  const text = textOf(bytes);
  const message = text === undefined ? undefined : parse(text);
  if (message === undefined) return problem(400, 'BadRequest', 'the body is not what an agent sends here');
  const { podUid, nonce, kid } = message;
  if (podUid !== request.params['uid']) return problem(422, 'OtherPod', 'the body names another pod than the address');
  const authorization = request.headers.get('authorization') ?? undefined;
  const verdict = verifySignature(keys, { podUid, nonce, kid, body: bytes, authorization });
  if (!verdict.ok) return unsigned(`the signature is not of this pod (${verdict.reason})`);
  const waitMs = podAllowance(deps, { route: name, podUid, limits: limits.perPod });
  if (waitMs > 0) return again(429, 'TooManyRequests', 'this pod asks too often', Math.ceil(waitMs / 1000));
  const signal = deps.clock.timeout(deadlineMs);
  const node = await findNodeOfPod(deps, podUid);
  if (!node.ok) return again(503, 'ServiceUnavailable', describeFault(node.fault), 2);
  if (node.value === undefined) return again(404, 'PodNotFound', 'this app knows no such pod', 30);
  try {
    return await handle(deps, node.value, message, signal);
  } finally {
    await deps.telemetry.flush();
  }
}

/** The body, or why not. The Functions host has read it whole by then. */
async function bodyOf(request: SignedRequest, mostBytes: number): Promise<Uint8Array | Answer> {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') return problem(415, 'UnsupportedMediaType', 'content-type: application/json');
  const tooLarge = problem(413, 'TooLarge', `the body has more than ${mostBytes} bytes`);
  if (Number(request.headers.get('content-length') ?? 0) > mostBytes) return tooLarge;
  const bytes = new Uint8Array(await request.arrayBuffer());
  return bytes.length > mostBytes ? tooLarge : bytes;
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

const unsigned = (message: string): Answer =>
  problem(401, 'Unauthorized', message, { headers: { 'www-authenticate': 'SK-HMAC-SHA256' } });

/** The agent asks again after so long. */
export const again = (status: 404 | 429 | 503, code: string, message: string, afterSeconds: number): Answer =>
  problem(status, code, message, { headers: { 'retry-after': String(afterSeconds) } });
