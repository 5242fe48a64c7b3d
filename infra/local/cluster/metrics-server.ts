/** metrics-server: built once from its Go module into the user's cache folder, and run beside a control plane. */
import { readFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Progress } from '../../cli/progress.ts';
import { describeExit, startChild } from '../child.ts';
import { allocatePort } from '../ports.ts';
import { cacheFolder } from './build.ts';
import { ensureProgram } from './go-program.ts';
import { parseOwnKubeconfig, tokenKubeconfig } from './kubeconfig.ts';
import { kubectl, kubectlOutput } from './kubectl.ts';
import type { KubectlTarget } from './kubectl.ts';
import { metricsAccount, metricsServerObjects } from './metrics-server-objects.ts';
import { writeStateFile } from './state-files.ts';

/** The one that is built, and the oldest Go that builds it. */
const version = 'v0.9.0';
const goVersion = '1.26.4';
/** About what it needs on an empty Go cache. */
const expectedPackages = 1100;

/** A built metrics-server. */
export interface MetricsServerBinary {
  /** Absolute path of the program. */
  readonly binary: string;
  /** Such as `v0.9.0`. */
  readonly version: string;
}

/** The built metrics-server, from the cache folder or built now: some minutes on two cores with an empty Go cache. */
export async function ensureMetricsServer(options: { progress: Progress }): Promise<MetricsServerBinary> {
  const root = join(dirname(cacheFolder(process.env, homedir())), 'metrics-server');
  const flags = `-s -w -X k8s.io/component-base/version.gitVersion=${version}`;
  const binary = await ensureProgram(
    {
      title: `metrics-server ${version}`,
      root,
      folder: join(root, `${version}-${process.platform}-${process.arch}`),
      file: 'metrics-server',
      goVersion,
      build: (into) => ({
        args: [
          'install',
          '-v',
          '-trimpath',
          '-ldflags',
          flags,
          `sigs.k8s.io/metrics-server/cmd/metrics-server@${version}`,
        ],
        // A folder without a go.mod: the module is built as it was released.
        cwd: tmpdir(),
        env: { GOBIN: into },
        expectedPackages,
      }),
    },
    options.progress,
  );
  return { binary, version };
}

export interface MetricsServerOptions {
  readonly binary: string;
  /** The administrator's, with a kubeconfig that was written here. */
  readonly kubectl: KubectlTarget;
  /** Holds its kubeconfig, certificate and log. */
  readonly stateDir: string;
}

/** A metrics-server that answers at `metrics.k8s.io`. */
export interface MetricsServer {
  readonly logFile: string;
  /** Ends it, and takes its API out of the cluster: discovery would fail on one that does not answer. */
  stop(): Promise<void>;
}

const readyMs = 60_000;
const pollMs = 500;

/** Starts it as its own manifests do, and resolves when the API server reaches it. It ends with this process. */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const { binary, stateDir } = options;
  const { endpoint } = parseOwnKubeconfig(readFileSync(options.kubectl.kubeconfig, 'utf8'));
  const port = await allocatePort();
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: metricsServerObjects(port) });
  await kubectlOutput(['apply', '-f', '-'], { ...options.kubectl, input });
  const { name, namespace } = metricsAccount;
  const token = await kubectlOutput(['create', 'token', name, '-n', namespace, '--duration=8h'], options.kubectl);
  const kubeconfig = join(stateDir, 'kubeconfig');
  writeStateFile(kubeconfig, tokenKubeconfig(endpoint, name, token.trim()));
  const logFile = join(stateDir, 'metrics-server.log');
  const child = await startChild({
    name: 'metrics-server',
    command: binary,
    args: [
      `--kubeconfig=${kubeconfig}`,
      `--authentication-kubeconfig=${kubeconfig}`,
      `--authorization-kubeconfig=${kubeconfig}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      `--cert-dir=${join(stateDir, 'certificates')}`,
      '--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname',
      '--kubelet-use-node-status-port',
      '--metric-resolution=15s',
    ],
    logFile,
    onParentDeath: 'SIGKILL',
  });
  const remove = (): Promise<unknown> =>
    kubectl(['delete', 'apiservice', 'v1beta1.metrics.k8s.io', '--ignore-not-found'], options.kubectl);
  try {
    const ended = child.exited.then((exit) => Promise.reject(new Error(describeExit(child, exit))));
    await Promise.race([untilAvailable(options.kubectl), ended]);
  } catch (error) {
    await child.stop(0);
    await remove();
    throw error;
  }
  return {
    logFile,
    stop: async () => {
      await remove();
      await child.stop(2000);
    },
  };
}

async function untilAvailable(target: KubectlTarget): Promise<void> {
  const until = Date.now() + readyMs;
  for (;;) {
    const answer = await kubectl(['get', '--raw', '/apis/metrics.k8s.io/v1beta1'], target);
    if (answer.code === 0) return;
    if (Date.now() > until)
      throw new Error(`metrics-server was not reached within ${readyMs / 1000} s: ${answer.stderr}`);
    await sleep(pollMs);
  }
}
