import { setTimeout as sleep } from 'node:timers/promises';
import { parseTokenRequest } from '../../../shared/wire/kubernetes/token.ts';
import { podEventsPath } from '../../../shared/wire/relay-protocol/paths.ts';
import type { PodEvents } from '../../../shared/wire/relay-protocol/pod-events.ts';
import { createObject } from '../cluster/objects.ts';
import type { CliContext } from '../context.ts';
import { Stop } from '../stop.ts';

type Waking = Pick<CliContext, 'api' | 'signal'>;

export interface Wake {
  readonly appUrl: string;
  readonly clusterUid: string;
  /** Where the relay's ServiceAccount is. */
  readonly namespace: string;
  /** Of the relay's token, as registered. */
  readonly audience: string;
}

const event: PodEvents = { epoch: 'attach', seq: 0, kind: 'wake', pods: [] };
/** The shortest that an API server grants. */
const tokenSeconds = 600;
/** An app that is just being restarted, or starts for this very call. */
const longestMs = 10_000;
const retryMs = 250;
/** Not known yet, busy, or on its way up. */
const passing = new Set([401, 429, 500, 502, 503, 504]);

/**
 * Calls the app as its relay would, so that it reads the registrations and makes the new Nodes now and not at its next
 * beat; answers whether it did. It only spares time: whoever lacks the right to a token of the relay's, or cannot reach
 * the app, goes on without. Safe to repeat.
 */
export async function wakeApp(context: Waking, wake: Wake): Promise<boolean> {
  const token = await relayToken(context, wake);
  if (token === undefined) return false;
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(longestMs)]);
  try {
    for (;;) {
      const status = await post(wake, token, signal);
      if (!passing.has(status)) return status === 200;
      await sleep(retryMs, undefined, { signal });
    }
  } catch {
    // Of fetch and of the wait: there is no way to the app, or time is up. An operator's Ctrl-C is seen by the next step.
    return false;
  }
}

async function relayToken(context: Waking, { namespace, audience }: Wake): Promise<string | undefined> {
  const request = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { audiences: [audience], expirationSeconds: tokenSeconds },
  };
  try {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/relay/token`;
    return parseTokenRequest(await createObject(context, path, request))?.value;
  } catch (error) {
    if (error instanceof Stop) return undefined;
    throw error;
  }
}

async function post({ appUrl, clusterUid }: Wake, token: string, signal: AbortSignal): Promise<number> {
  const answer = await fetch(`${appUrl}${podEventsPath(clusterUid)}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(event),
    redirect: 'manual',
    signal,
  });
  await answer.body?.cancel();
  return answer.status;
}
