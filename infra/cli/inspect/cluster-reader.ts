import { parseJson } from '../../../shared/wire/json-text.ts';
import { parseUrl } from '../../../shared/wire/url-text.ts';
import type { ApiAnswer, ClusterApi, KubeContexts } from '../cluster/api.ts';
import { clusterStop } from '../cluster/cluster-fault.ts';
import type { ClusterFault } from '../cluster/cluster-fault.ts';
import { read, unreadable } from './observed.ts';
import type { Part } from './observed.ts';
import { defined } from '../../../shared/core/defined.ts';

/** An answer of an API server, and what time it was there. */
export interface ServerAnswer {
  readonly json: unknown;
  /** From the answer's `Date` header, which has whole seconds; undefined when it had none. */
  readonly serverMs?: number;
}

/** One cluster, read with the operator's rights through one context of the kubeconfig. */
export interface ClusterReader {
  /** GET of a path; undefined: 404. Reads only, so it can be repeated. */
  get(path: string): Promise<Part<ServerAnswer | undefined>>;
  /** GET of what is no JSON; absent is a reason too. */
  getText(path: string): Promise<Part<string>>;
}

/** `context` undefined: the one of --context, or the current one. */
export function createClusterReader(api: ClusterApi, context: string | undefined): ClusterReader {
  return {
    get: async (path) => parseAnswer(await api.send({ path, context })),
    getText: async (path) => {
      const answer = await api.send({ path, context });
      return answer.kind === 'answered' ? read(answer.text) : faultPart(answer);
    },
  };
}

/** What became of a GET. */
export function parseAnswer(answer: ApiAnswer | ClusterFault): Part<ServerAnswer | undefined> {
  if (answer.kind === 'not-found') return read(undefined);
  if (answer.kind !== 'answered') return faultPart(answer);
  const json = parseJson(answer.text);
  if (json === undefined) return unreadable('The API server did not answer in JSON.');
  return read({ json, ...defined({ serverMs: answer.serverMs }) });
}

/** The reason as one sentence. */
export const faultPart = (fault: ClusterFault): Part<never> =>
  unreadable(`${clusterStop(fault).message.replace(/\.$/, '')}.`);

/** The context that leads to this API server: the one that is asked for, else one whose URL is the same, else the current one. */
export function contextFor(
  server: string,
  known: KubeContexts,
  asked: string | undefined,
): { readonly context: string | undefined; readonly leadsThere: boolean } {
  const leadsThere = (name: string | undefined): boolean =>
    known.contexts.some((one) => one.name === name && origin(one.server) === origin(server));
  if (asked !== undefined) return { context: asked, leadsThere: leadsThere(asked) };
  if (leadsThere(known.current)) return { context: known.current, leadsThere: true };
  const found = known.contexts.find((one) => origin(one.server) === origin(server));
  return found === undefined
    ? { context: known.current, leadsThere: false }
    : { context: found.name, leadsThere: true };
}

const origin = (url: string): string => parseUrl(url)?.origin ?? url;
