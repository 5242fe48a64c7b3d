/** `npm run cluster:build` and `npm run cluster`: the real Kubernetes by itself. */
import { isAbsolute, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createProgress } from '../progress.ts';
import { ensureControlPlane } from './build.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { ensureHelm } from './helm.ts';

const usage = `usage: cluster build | start [--dir DIR]

  build   builds Kubernetes (etcd, API server, scheduler, controller-manager, kubectl) and Helm into the cache folder, once
  start   starts it, builds it first where needed, and stays until Ctrl-C

  --dir DIR   where its state is kept (default .local); a second start finds the same cluster there
  --help      this text`;

const progress = createProgress();

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { dir: { type: 'string', default: '.local' }, help: { type: 'boolean', default: false } },
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
    return 0;
  }
  const dir = isAbsolute(values.dir) ? values.dir : resolve(process.cwd(), values.dir);
  const interrupted = interruption();
  const controlPlane = await startControlPlane({ stateDir: join(dir, 'cluster'), binaries, progress });
  describe(controlPlane);
  const failure = await Promise.race([controlPlane.failed, interrupted]);
  await progress.step('stop', () => controlPlane.stop());
  if (failure === undefined) return 0;
  console.error(failure);
  return 1;
}

/** Resolves at the first Ctrl-C or SIGTERM; a second one ends at once, children included. */
function interruption(): Promise<undefined> {
  const { promise, resolve: interrupt } = Promise.withResolvers<undefined>();
  let count = 0;
  const onSignal = (): void => {
    count += 1;
    if (count > 1) process.exit(130);
    interrupt(undefined);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  return promise;
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
