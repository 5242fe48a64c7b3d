/**
 * The program behind a group's extension `kube-proxy`: as old as Container Instances' own (v1.9), which reads Services and
 * Endpoints, and its kubeconfig once. It runs in the group's network namespace and writes that one's rules.
 */
import { text } from 'node:stream/consumers';
import * as z from 'zod';
import { parseOwnKubeconfig } from '../../cluster/kubeconfig.ts';
import { createApiReader } from './api.ts';
import { NamespaceRules } from './namespace.ts';
import { runProxy } from './proxy.ts';

/** What comes in on standard input, so that the credential is in no file and no list of processes. */
const configuration = z.object({
  kubeconfig: z.string(),
  clusterCidr: z.string().optional(),
  watchSeconds: z.number(),
  /** Whose rules it writes; begins each line of the log, which the groups share. */
  group: z.string(),
});

const write = (line: string): void => {
  process.stdout.write(`${new Date().toISOString()} ${line}\n`);
};

async function main(): Promise<void> {
  const { kubeconfig, clusterCidr, watchSeconds, group } = configuration.parse(JSON.parse(await text(process.stdin)));
  const log = (line: string): void => write(`${group} ${line}`);
  const { endpoint, credential } = parseOwnKubeconfig(kubeconfig);
  if (!('token' in credential)) throw new Error('the kubeconfig has no token');
  const ending = new AbortController();
  process.once('SIGTERM', () => ending.abort());
  process.once('SIGINT', () => ending.abort());
  const api = createApiReader(endpoint, credential.token);
  log(`reads ${endpoint.url}`);
  await runProxy({ api, rules: new NamespaceRules(log), clusterCidr, watchSeconds, log, signal: ending.signal });
}

main().catch((error: unknown) => {
  write(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
