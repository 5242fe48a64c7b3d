/** Helm: built once from its Go module into the user's cache folder, and run against one kubeconfig. */
import { spawn } from 'node:child_process';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Progress } from '../../cli/progress.ts';
import { cacheFolder } from './build.ts';
import { ensureProgram } from './go-program.ts';
import type { GoProgram } from './go-program.ts';

/** The Helm that is built, and the oldest Go that builds it. */
const version = 'v4.3.1';
const goVersion = '1.26.0';
/** About what it needs on an empty Go cache; most of it is Kubernetes' own, which is there after its build. */
const expectedPackages = 1400;

/** A built Helm. */
export interface HelmBinary {
  /** Absolute path of the program. */
  readonly binary: string;
  /** Such as `v4.3.1`. */
  readonly version: string;
}

/** Which Helm, and against which cluster. */
export interface HelmRun {
  readonly binary: string;
  /** Path of the kubeconfig; without it Helm finds no cluster, not even the user's own. */
  readonly kubeconfig?: string;
  /** Text for its standard input, such as the values of `--values -`. */
  readonly input?: string;
  /** After which it is killed, and has the code 124; 120 s unless given. */
  readonly timeoutMs?: number;
}

/** What came of a run. A non-zero code is a value, not an exception. */
export interface HelmResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The built Helm, from the cache folder or built now: some four minutes on two cores with an empty Go cache. A missing or
 * too old Go is a `GoToolchainError`.
 */
export async function ensureHelm(options: { progress: Progress }): Promise<HelmBinary> {
  const root = join(dirname(cacheFolder(process.env, homedir())), 'helm');
  const flags = `-s -w -X helm.sh/helm/v4/internal/version.version=${version}`;
  const program: GoProgram = {
    title: `Helm ${version}`,
    root,
    folder: join(root, `${version}-${process.platform}-${process.arch}`),
    file: process.platform === 'win32' ? 'helm.exe' : 'helm',
    goVersion,
    build: (into) => ({
      args: ['install', '-v', '-trimpath', '-ldflags', flags, `helm.sh/helm/v4/cmd/helm@${version}`],
      // A folder without a go.mod: the module is built as it was released.
      cwd: tmpdir(),
      env: { GOBIN: into },
      expectedPackages,
    }),
  };
  return { binary: await ensureProgram(program, options.progress), version };
}

/**
 * Runs Helm with nothing of the user's own: neither kubeconfig, nor repositories, nor plugins. Rejects only when the
 * program cannot be started.
 */
export async function helm(args: readonly string[], run: HelmRun): Promise<HelmResult> {
  const home = join(dirname(run.binary), 'home');
  const child = spawn(run.binary, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...withoutHelmSettings(process.env),
      KUBECONFIG: run.kubeconfig ?? join(home, 'no-cluster'),
      HELM_CACHE_HOME: join(home, 'cache'),
      HELM_CONFIG_HOME: join(home, 'config'),
      HELM_DATA_HOME: join(home, 'data'),
    },
  });
  const { promise: closed, resolve, reject } = Promise.withResolvers<number>();
  child.once('error', reject);
  child.once('close', (code) => resolve(code ?? 124));
  child.stdin.on('error', () => undefined); // a run that ends early does not read all its input
  child.stdin.end(run.input ?? '');
  const timer = setTimeout(() => child.kill('SIGKILL'), run.timeoutMs ?? 120_000);
  try {
    const [code, stdout, stderr] = await Promise.all([closed, text(child.stdout), text(child.stderr)]);
    return { code, stdout, stderr };
  } finally {
    clearTimeout(timer);
  }
}

/** Variables such as HELM_NAMESPACE and HELM_DRIVER would change what a command means. */
function withoutHelmSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('HELM_')));
}
