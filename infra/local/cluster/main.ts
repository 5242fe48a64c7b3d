/** `npm run cluster:build` and `npm run cluster`: the real Kubernetes by itself. */
import { isAbsolute, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { interruption } from '../interruption.ts';
import { createProgress } from '../../cli/progress.ts';
import { ensureControlPlane } from './build.ts';
import { startControlPlane } from './control-plane.ts';
import type { ControlPlane } from './control-plane.ts';
import { ensureCoreDns } from './coredns.ts';
import { ensureHelm } from './helm.ts';
import { ensureMetricsServer } from './metrics-server.ts';

const usage = `usage: cluster build | start [--dir DIR]

  build   builds Kubernetes (etcd, API server, scheduler, controller-manager, kubectl), Helm, CoreDNS and metrics-server into the cache folder, once
  start   starts it, builds it first where needed, and stays until Ctrl-C

  --dir DIR   where its state is kept (default .local); a second start finds the same cluster there
  --help      this text`;

const progress = createProgress();

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { dir: { type: 'string', default: '.local' }, help: { type: 'boolean', short: 'h', default: false } },
  });
  const command = positionals[0] ?? '';
  if (values.help) {
    console.log(usage);
    return 0;
  }
  if (positionals.length !== 1 || !['build', 'start'].includes(command)) {
    console.error(usage);
    return 2;
  }
  const binaries = await ensureControlPlane({ progress });
  if (command === 'build') {
    const helm = await ensureHelm({ progress });
    console.log(`Kubernetes ${binaries.version}:\n  ${binaries.controlPlane}\n  ${binaries.kubectl}`);
    console.log(`Helm ${helm.version}:\n  ${helm.binary}`);
    const dns = await ensureCoreDns({ progress });
    console.log(`CoreDNS ${dns.version}:\n  ${dns.binary}`);
    const metrics = await ensureMetricsServer({ progress });
    console.log(`metrics-server ${metrics.version}:\n  ${metrics.binary}`);
    return 0;
  }
  const dir = isAbsolute(values.dir) ? values.dir : resolve(process.cwd(), values.dir);
  const interrupted = interruption(() => progress.line('stopping')).then(() => undefined);
  const controlPlane = await startControlPlane({ stateDir: join(dir, 'cluster'), binaries, progress });
  describe(controlPlane);
  const failure = await Promise.race([controlPlane.failed, interrupted]);
  await progress.step('stop', () => controlPlane.stop());
  if (failure === undefined) return 0;
  console.error(failure);
  return 1;
}

function describe({ kubectl, kubeconfigPath }: ControlPlane): void {
  console.log(
    [
      '',
      `kubeconfig: ${kubeconfigPath}`,
      'worth trying:',
      `  export KUBECONFIG=${kubeconfigPath}`,
      `  ${kubectl.binary} get namespaces,serviceaccounts --all-namespaces`,
      `  ${kubectl.binary} create deployment hello --image=busybox`,
      `  ${kubectl.binary} get events --watch     (there is no node: its pod stays Pending)`,
      '',
      'Ctrl-C stops it; the next start finds the same cluster.',
    ].join('\n'),
  );
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
