/** Kubernetes itself, built once from its Go modules into the user's cache folder. */
import { createHash } from 'node:crypto';
import { accessSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { withFileLock } from '../../package/file-lock.ts';
import type { Progress, Report } from '../../cli/progress.ts';
import { runGoBuild } from './go-build.ts';
import type { BuildCount } from './go-build.ts';
import { GoToolchainError, findGoToolchain } from '../../package/go-toolchain.ts';
import type { GoToolchain } from '../../package/go-toolchain.ts';

/** The two programs of a built Kubernetes, absolute paths. */
export interface ControlPlaneBinaries {
  /** etcd, kube-apiserver, kube-controller-manager and kube-scheduler, by its first argument. */
  readonly controlPlane: string;
  readonly kubectl: string;
  /** Such as `v1.36.3`. */
  readonly version: string;
}

/** What go.mod fixes: the Kubernetes that is built and the oldest Go that builds it. */
export interface BuildSource {
  readonly kubernetesVersion: string;
  readonly goVersion: string;
  /** Changes with everything that changes the programs. */
  readonly hash: string;
}

const moduleDir = join(import.meta.dirname, 'real');
const sourceFiles = ['main.go', 'go.mod', 'go.sum'];
/** About what both programs need on an empty Go cache, for the progress line; the true number varies by platform. */
const expectedPackages = 2800;

/**
 * The built Kubernetes, from the cache folder or built now: some seven minutes on two cores at first, half a minute
 * while Go's own cache is warm. Two builds at once wait for each other; one that is interrupted leaves nothing that
 * could be taken for a finished one. A missing or too old Go is a `GoToolchainError`.
 */
export async function ensureControlPlane(options: { progress: Progress }): Promise<ControlPlaneBinaries> {
  const { source, root, folder, binaries } = locate();
  if (isBuilt(binaries)) return binaries;
  const go = await findGoToolchain(source.goVersion);
  await options.progress.step(`Kubernetes ${source.kubernetesVersion}`, async (report) => {
    const wait = (): void => report('another build is under way, waiting for it');
    await withFileLock(
      `${folder}.lock`,
      async () => {
        if (!isBuilt(binaries)) await buildInto({ root, folder, source, go, report });
        report(folder);
      },
      wait,
    );
  });
  return binaries;
}

/**
 * Why nobody who did not ask for it should wait for {@link ensureControlPlane}: Kubernetes is not built, and no Go in
 * the PATH could. Undefined otherwise.
 */
export async function whyNoControlPlane(): Promise<GoToolchainError | undefined> {
  const { source, binaries } = locate();
  if (isBuilt(binaries)) return undefined;
  try {
    await findGoToolchain(source.goVersion, 'path');
    return undefined;
  } catch (error) {
    if (error instanceof GoToolchainError) return error;
    throw error;
  }
}

interface Location {
  readonly source: BuildSource;
  readonly root: string;
  readonly folder: string;
  readonly binaries: ControlPlaneBinaries;
}

function locate(): Location {
  const source = readSource(moduleDir);
  const root = cacheFolder(process.env, homedir());
  const folder = join(root, `${source.kubernetesVersion}-${source.hash}`);
  const binaries = {
    controlPlane: join(folder, 'control-plane'),
    kubectl: join(folder, 'kubectl'),
    version: source.kubernetesVersion,
  };
  return { source, root, folder, binaries };
}

/** The folder for built control planes: under XDG_CACHE_HOME where that is an absolute path, else under ~/.cache. */
export function cacheFolder(env: NodeJS.ProcessEnv, home: string): string {
  const configured = env['XDG_CACHE_HOME'] ?? '';
  const cache = isAbsolute(configured) ? configured : join(home, '.cache');
  return join(cache, 'serverless-kubelet', 'kubernetes');
}

/** Reads the module's version, its Go and its hash. */
export function readSource(dir: string): BuildSource {
  const hash = createHash('sha256').update(`${process.platform}/${process.arch}`);
  for (const name of sourceFiles) hash.update(readFileSync(join(dir, name)));
  const goMod = readFileSync(join(dir, 'go.mod'), 'utf8');
  const kubernetesVersion = /^\s*(?:require )?k8s\.io\/kubernetes (v\S+)/m.exec(goMod)?.[1];
  const goVersion = /^go (\S+)/m.exec(goMod)?.[1];
  if (kubernetesVersion === undefined || goVersion === undefined)
    throw new Error(`${join(dir, 'go.mod')} names no version of k8s.io/kubernetes or of Go`);
  return { kubernetesVersion, goVersion, hash: hash.digest('hex').slice(0, 12) };
}

/** The linker flags that report both programs who they are: without them they call themselves v0.0.0-master. */
export function linkerFlags(version: string, buildDate: Date): string {
  const [, major, minor] = /^v(\d+)\.(\d+)\./.exec(version) ?? [];
  const values = {
    gitVersion: version,
    gitMajor: major,
    gitMinor: minor,
    // The module proxy serves releases by their tag, and does not say which commit that is.
    gitCommit: version,
    gitTreeState: 'clean',
    buildDate: `${buildDate.toISOString().slice(0, 19)}Z`,
  };
  const packages = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'];
  const settings = packages.flatMap((path) =>
    Object.entries(values).map(([name, value]) => `-X ${path}.${name}=${value}`),
  );
  return ['-s', '-w', ...settings].join(' ');
}

interface Build {
  readonly root: string;
  readonly folder: string;
  readonly source: BuildSource;
  readonly go: GoToolchain;
  readonly report: Report;
}

/** Both programs go into a folder of their own, which becomes the real one by its name, at once. */
async function buildInto(build: Build): Promise<void> {
  const temporary = `${build.folder}.${process.pid}.tmp`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  try {
    const count = { packages: 0, modules: 0 };
    await compile(build, { target: '.', output: join(temporary, 'control-plane'), count });
    await compile(build, { target: 'k8s.io/kubernetes/cmd/kubectl', output: join(temporary, 'kubectl'), count });
    rmSync(build.folder, { recursive: true, force: true });
    renameSync(temporary, build.folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

async function compile(
  { root, source, go, report }: Build,
  program: { target: string; output: string; count: BuildCount },
): Promise<void> {
  const flags = linkerFlags(source.kubernetesVersion, new Date());
  await runGoBuild({
    go: go.command,
    args: ['build', '-v', '-trimpath', '-ldflags', flags, '-o', program.output, program.target],
    cwd: moduleDir,
    logFile: join(root, 'build.log'),
    count: program.count,
    expectedPackages,
    report,
  });
}

function isBuilt(binaries: ControlPlaneBinaries): boolean {
  try {
    accessSync(binaries.controlPlane);
    accessSync(binaries.kubectl);
    return true;
  } catch {
    return false;
  }
}
