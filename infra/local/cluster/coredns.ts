/** CoreDNS: built once from its Go module into the user's cache folder, with the few plugins that are used here. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Progress } from '../../cli/progress.ts';
import { startChild } from '../child.ts';
import type { Child, ChildOptions } from '../child.ts';
import { cacheFolder } from './build.ts';
import { ensureProgram } from './go-program.ts';

/** A built CoreDNS. */
export interface CoreDnsBinary {
  /** Absolute path of the program. */
  readonly binary: string;
  /** Such as `v1.15.0`. */
  readonly version: string;
}

const moduleDir = join(import.meta.dirname, 'coredns');
const sourceFiles = ['main.go', 'go.mod', 'go.sum'];
/** About what it needs on an empty Go cache. */
const expectedPackages = 600;

/** The built CoreDNS, from the cache folder or built now: some three minutes on two cores with an empty Go cache. */
export async function ensureCoreDns(options: { progress: Progress }): Promise<CoreDnsBinary> {
  const { version, goVersion, hash } = readSource();
  const root = join(dirname(cacheFolder(process.env, homedir())), 'coredns');
  const binary = await ensureProgram(
    {
      title: `CoreDNS ${version}`,
      root,
      folder: join(root, `${version}-${hash}`),
      file: 'coredns',
      goVersion,
      build: (into) => ({
        args: ['build', '-v', '-trimpath', '-ldflags', '-s -w', '-o', join(into, 'coredns'), '.'],
        cwd: moduleDir,
        expectedPackages,
      }),
    },
    options.progress,
  );
  return { binary, version };
}

const readyMs = 20_000;

/** Starts CoreDNS by a Corefile; resolves once it has read it. It ends with this process. */
export const startCoreDns = (
  binary: string,
  corefile: string,
  options: Pick<ChildOptions, 'name' | 'logFile' | 'onLine'>,
): Promise<Child<true>> =>
  startChild({
    ...options,
    command: binary,
    args: ['-conf', corefile],
    onParentDeath: 'SIGKILL',
    ready: (line) => (line.startsWith('CoreDNS-') ? true : undefined),
    readyTimeoutMs: readyMs,
  });

/** What go.mod fixes; `hash` changes with everything that changes the program. */
function readSource(): { readonly version: string; readonly goVersion: string; readonly hash: string } {
  const hash = createHash('sha256').update(`${process.platform}/${process.arch}`);
  for (const name of sourceFiles) hash.update(readFileSync(join(moduleDir, name)));
  const goMod = readFileSync(join(moduleDir, 'go.mod'), 'utf8');
  const version = /^require github\.com\/coredns\/coredns (v\S+)/m.exec(goMod)?.[1];
  const goVersion = /^go (\S+)/m.exec(goMod)?.[1];
  if (version === undefined || goVersion === undefined) throw new Error(`${moduleDir}/go.mod names no CoreDNS or Go`);
  return { version, goVersion, hash: hash.digest('hex').slice(0, 12) };
}
