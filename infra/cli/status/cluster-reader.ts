import * as z from 'zod';
import { instantMs } from '../../../shared/core/status/time.ts';
import { kubectlStop } from '../kube.ts';
import type { ProgramResult } from '../program.ts';
import { Stop } from '../stop.ts';
import { type Part, read, unreadable } from './observed.ts';
import { parseJson } from '../../../shared/wire/json-text.ts';
import { parseUrl } from '../../../shared/wire/url-text.ts';

/** The operator's kubectl, as `CliContext` gives it. */
export type Kubectl = (
  args: readonly string[],
  options?: { readonly input?: string; readonly timeoutMs?: number },
) => Promise<ProgramResult>;

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

const requestSeconds = 15;

/** `context` undefined: the one of --context, or the current one. */
export function createClusterReader(kubectl: Kubectl, context: string | undefined): ClusterReader {
  const more = context === undefined ? [] : ['--context', context];
  const ask = async <T>(path: string, args: readonly string[], parse: (result: ProgramResult) => Part<T>) => {
    const timeoutMs = (requestSeconds + 5) * 1000;
    const all = ['get', '--raw', path, ...args, '--request-timeout', `${String(requestSeconds)}s`, ...more];
    try {
      return parse(await kubectl(all, { timeoutMs }));
    } catch (error) {
      // There is no kubectl: what it would have told is unknown, the rest is not.
      if (error instanceof Stop) return unreadable(`${error.message}.`);
      throw error;
    }
  };
  return {
    // At this verbosity kubectl tells the headers of the answer on stderr, with any token masked.
    get: (path) => ask(path, ['--v', '8'], (result) => parseAnswer(path, result)),
    getText: (path) => ask(path, [], (result) => parseText(path, result)),
  };
}

/** What became of a `kubectl get --raw PATH --v 8`. */
export function parseAnswer(path: string, result: ProgramResult): Part<ServerAnswer | undefined> {
  if (result.code !== 0) {
    const said = complaint(result.stderr);
    if (/\(NotFound\)|could not find the requested resource/.test(said)) return read(undefined);
    return unreadable(`${kubectlStop(['get', path], { ...result, stderr: said }).message}.`);
  }
  const json = parseJson(result.stdout);
  if (json === undefined) return unreadable('The API server did not answer in JSON.');
  const serverMs = headerTime(result.stderr);
  return read({ json, ...(serverMs === undefined ? {} : { serverMs }) });
}

const parseText = (path: string, result: ProgramResult): Part<string> =>
  result.code === 0
    ? read(result.stdout)
    : unreadable(`${kubectlStop(['get', path], { ...result, stderr: complaint(result.stderr) }).message}.`);

/** The `Date` of the last answer that kubectl told of, in ms. */
export function headerTime(stderr: string): number | undefined {
  const dates = [...stderr.matchAll(/^\s+Date: (.+)$/gm)];
  return instantMs(dates.at(-1)?.[1]);
}

/** What kubectl itself says, without its log lines and their headers. */
export function complaint(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !/^([IWEF]\d{4} |\s|")/.test(line));
  return lines.at(-1) ?? '';
}

const configSchema = z.object({
  'current-context': z.string().nullish(),
  clusters: z
    .array(z.object({ name: z.string(), cluster: z.object({ server: z.string().default('') }) }))
    .nullish()
    .transform((list) => list ?? []),
  contexts: z
    .array(z.object({ name: z.string(), context: z.object({ cluster: z.string().default('') }) }))
    .nullish()
    .transform((list) => list ?? []),
});

/** Which contexts the kubeconfig has, and where each leads. */
export interface KubeContexts {
  readonly current: string | undefined;
  readonly contexts: readonly { readonly name: string; readonly server: string }[];
}

/** Of `kubectl config view --output json`. */
export function parseContexts(text: string): KubeContexts {
  const parsed = configSchema.safeParse(parseJson(text));
  if (!parsed.success) return { current: undefined, contexts: [] };
  const servers = new Map(parsed.data.clusters.map(({ name, cluster }) => [name, cluster.server]));
  const current = parsed.data['current-context'] ?? '';
  return {
    current: current === '' ? undefined : current,
    contexts: parsed.data.contexts.map(({ name, context }) => ({ name, server: servers.get(context.cluster) ?? '' })),
  };
}

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
