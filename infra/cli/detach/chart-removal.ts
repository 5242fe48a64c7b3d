import { chartStop, findChart, mendRelease, readRelease, releaseName } from '../attach/chart.ts';
import { madeByLabel, readNamespace } from '../attach/namespace.ts';
import { servingSecretName } from '../attach/plan.ts';
import type { CliContext } from '../context.ts';
import { kubectlText } from '../kube.ts';

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
  const requests = nodes.map((node) => `serverless-kubelet-${namespace}-${node}`);
  // Without a name kubectl would refuse.
  if (requests.length > 0) await kubectlText(context, ['delete', 'csr', '--ignore-not-found', ...requests]);
  const labels = await readNamespace(context, namespace);
  if (labels === undefined) return done;
  if (labels[madeByLabel] !== installation) {
    await kubectlText(context, ['delete', 'secret', servingSecretName, '--namespace', namespace, '--ignore-not-found']);
    return [...done, `namespace ${namespace} left, as attach did not make it`];
  }
  await kubectlText(context, ['delete', 'namespace', namespace, '--timeout=120s'], { timeoutMs: 150_000 });
  return [...done, `namespace ${namespace} deleted`];
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
  await mendRelease(context, input.namespace);
  const nodes = input.nodes.map(({ name, port }) => ({ name, port }));
  const args = ['upgrade', releaseName, findChart(input.chart), '--namespace', input.namespace, '--reuse-values'];
  const run = { input: JSON.stringify({ nodes }), timeoutMs: helmTimeoutMs };
  const result = await context.helm([...args, '--values', '-'], run);
  if (result.code !== 0) throw chartStop(result);
}
