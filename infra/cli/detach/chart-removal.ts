import { chartStop, findChart, repairRelease, readRelease, releaseName } from '../cluster/chart-release.ts';
import { madeByLabel, readNamespace } from '../cluster/namespace.ts';
import type { CliContext } from '../context.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { deleteObject } from '../cluster/objects.ts';
import { certificateRequestName, certificateRequestPath, servingSecretPath } from '../cluster/names.ts';
import { exitCodes } from '../exit-code.ts';
import { Stop } from '../stop.ts';

const helmTimeoutMs = 300_000;

/**
 * Uninstalls the chart without its hook, whose work is done, and deletes the namespace if `attach` made it. Answers what
 * it did. Idempotent.
 */
export async function removeChart(
  context: CliContext,
  {
    namespace,
    installation,
    nodes,
  }: { readonly namespace: string; readonly installation: string; readonly nodes: readonly string[] },
): Promise<readonly string[]> {
  const done: string[] = [];
  if ((await readRelease(context, namespace)) !== undefined) {
    const args = ['uninstall', releaseName, '--namespace', namespace, '--no-hooks'];
    const result = await context.helm(args, { timeoutMs: helmTimeoutMs });
    if (result.code !== 0) throw chartStop(result);
    done.push('chart uninstalled');
  }
  for (const node of nodes)
    await deleteObject(context, certificateRequestPath(certificateRequestName(namespace, node)));
  const labels = await readNamespace(context, namespace);
  if (labels === undefined) return done;
  if (labels[madeByLabel] !== installation) {
    await deleteObject(context, servingSecretPath(namespace));
    return [...done, `namespace ${namespace} left, as attach did not make it`];
  }
  await deleteNamespace(context, namespace);
  return [...done, `namespace ${namespace} deleted`];
}

const namespaceMs = 120_000;
const pollMs = 1000;

/** Its objects go first, which takes a while. */
async function deleteNamespace(context: CliContext, namespace: string): Promise<void> {
  await deleteObject(context, `/api/v1/namespaces/${namespace}`);
  const giveUpAt = performance.now() + namespaceMs;
  while ((await readNamespace(context, namespace)) !== undefined) {
    if (performance.now() > giveUpAt)
      throw new Stop(
        exitCodes.timedOut,
        `the namespace ${namespace} is still being deleted`,
        `kubectl get namespace ${namespace} -o yaml says what holds it; then the same command again`,
      );
    await sleep(pollMs, undefined, { signal: context.signal });
  }
}

/** Takes nodes out of the chart's rights, ports and configuration; the others stay as they are. */
export async function shrinkChart(
  context: CliContext,
  input: {
    readonly namespace: string;
    readonly nodes: readonly { readonly name: string; readonly port: number }[];
    readonly chart: string | undefined;
  },
): Promise<void> {
  if ((await readRelease(context, input.namespace)) === undefined) return;
  await repairRelease(context, input.namespace);
  const nodes = input.nodes.map(({ name, port }) => ({ name, port }));
  const args = ['upgrade', releaseName, findChart(input.chart), '--namespace', input.namespace, '--reuse-values'];
  const run = { input: JSON.stringify({ nodes }), timeoutMs: helmTimeoutMs };
  const result = await context.helm([...args, '--values', '-'], run);
  if (result.code !== 0) throw chartStop(result);
}
