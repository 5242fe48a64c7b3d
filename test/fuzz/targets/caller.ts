import type { Answer, IncomingRequest } from '../../../shared/app/run-http.ts';
import { answerCaller } from '../../../shared/app/run-http.ts';
import type { ClusterDeps, Deps } from '../../../shared/app/deps.ts';
import type { World } from '../../app/world.ts';
import { clusterUid } from '../../fixtures/settings.ts';
import type { Dice } from '../dice.ts';
import type { Mutator } from '../mutator.ts';
import type { Secrets } from '../secrets.ts';

/** Who sends a request. Only `relay` may have an effect. */
export type Credential = 'relay' | 'none' | 'garbage' | 'bent' | 'unknown' | 'expired' | 'audience' | 'account';

let tokens = 0;

export interface Caller {
  readonly kind: Credential;
  readonly authorization: string | null;
  /** Whether the header is the relay's own, to the letter. */
  readonly mayAct: boolean;
}

/** A caller with its `Authorization` header; what the cluster knows of the token is put there. */
export function makeCaller(world: World, dice: Dice, tools: { mutator: Mutator; secrets: Secrets }): Caller {
  const kind = dice.weighted<Credential>({
    relay: 12,
    none: 1,
    garbage: 2,
    bent: 2,
    unknown: 1,
    expired: 1,
    audience: 1,
    account: 1,
  });
  if (kind === 'none') return { kind, authorization: null, mayAct: false };
  const audience = kind === 'audience' ? 'other' : 'serverless-kubelet';
  tokens += 1;
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = world.now / 1000 + (kind === 'expired' ? -1 : 600);
  const claims = tools.secrets.plant('claim', String(tokens));
  const token = `${part({ alg: 'RS256' })}.${part({ exp, aud: [audience], jti: tokens, claims })}.c2lnbmF0dXJlb2Z0aGV0b2tlbg`;
  tools.secrets.keep('token', token);
  const account = kind === 'account' ? 'default:default' : 'kube-system:relay';
  if (kind !== 'unknown')
    world.cluster.putToken(token, {
      username: `system:serviceaccount:${account}`,
      groups: [],
      audiences: [audience],
    });
  const header = `Bearer ${token}`;
  if (kind === 'garbage') {
    const authorization = tools.mutator.text('authorization', header);
    return { kind, authorization, mayAct: authorization === header };
  }
  if (kind === 'bent') return { kind, authorization: bend(header, dice), mayAct: false };
  return { kind, authorization: header, mayAct: kind === 'relay' };
}

/** One character of the token is another. */
function bend(header: string, dice: Dice): string {
  const at = 'Bearer '.length + dice.below(header.length - 'Bearer '.length);
  const other = dice.pick(
    ['A', 'b', 'Z', '0', '9', '_', '-', '.', '=', '+', '/', ' '].filter((one) => one !== header[at]),
  );
  return header.slice(0, at) + other + header.slice(at + 1);
}

export interface Parts {
  readonly headers: Readonly<Record<string, string | null>>;
  readonly params: Readonly<Record<string, string>>;
  readonly query: string;
  readonly body: Buffer;
}

/** A request as a handler sees it: bytes that are no UTF-8 have become U+FFFD already. */
export const toRequest = ({ headers, params, query, body }: Parts): IncomingRequest => ({
  headers: { get: (name) => headers[name.toLowerCase()] ?? null },
  params,
  query: new URLSearchParams(query),
  text: async () => new TextDecoder().decode(body),
});

export interface Called {
  readonly answer: Answer;
  readonly logged: string;
}

/** Calls a function as the host does, with the world's dependencies. */
export async function callApp(
  world: World,
  parts: Parts,
  run: (deps: Deps, cluster: ClusterDeps, request: IncomingRequest, signal: AbortSignal) => Promise<Answer>,
): Promise<Called> {
  const lines: string[] = [];
  const line = (message: string, fields?: object): void => void lines.push(JSON.stringify({ message, ...fields }));
  const log = { info: line, warn: line };
  const deps: Deps = { ...world.deps, log };
  const request = toRequest(parts);
  const answer = await answerCaller(request, log, {
    deadlineMs: 18_000,
    run: (loaded, cluster, signal) => run(loaded, cluster, request, signal),
    load: async () => ({ ok: true, deps }),
  });
  return { answer, logged: lines.join('\n') };
}

/** The cluster's name in the path, now and then another. */
export const clusterParam = (mutator: Mutator, dice: Dice): string =>
  dice.chance(0.05) ? mutator.text('cluster', clusterUid) : clusterUid;

export const showParts = ({ headers, params, query, body }: Parts, secrets: Secrets): string =>
  secrets.mask(`${JSON.stringify({ headers, params, query })}\n${body.toString('utf8')}`);
