/** One run of Go that builds a program, with its progress reported. */
import { describeExit, startChild } from '../child.ts';
import { formatDuration } from '../../cli/progress.ts';
import type { Report } from '../../cli/progress.ts';
import { goEnvironment } from '../../package/go-toolchain.ts';

/** What a build has done so far; two runs that are one step for the user share it. */
export interface BuildCount {
  packages: number;
  modules: number;
}

/** One run of Go. */
export interface GoBuild {
  /** Path of the Go command. */
  readonly go: string;
  /** Everything after the command; `-v` must be among it, or nothing can be counted. */
  readonly args: readonly string[];
  readonly cwd: string;
  /** Go's own lines are appended here. */
  readonly logFile: string;
  /** Besides what {@link goEnvironment} sets. */
  readonly env?: Readonly<Record<string, string>>;
  readonly count: BuildCount;
  /** About how many packages an empty Go cache makes it compile. */
  readonly expectedPackages: number;
  readonly report: Report;
}

/** Runs Go to its end; a failure is an error with its last lines. Ctrl-C ends it. */
export async function runGoBuild(build: GoBuild): Promise<void> {
  const startedMs = performance.now();
  const { count, expectedPackages } = build;
  const notify = (): void => build.report(describeBuild({ ...count, expectedPackages }, performance.now() - startedMs));
  const child = await startChild({
    name: `go ${build.args[0] ?? ''}`,
    command: build.go,
    args: build.args,
    cwd: build.cwd,
    env: { ...goEnvironment(), ...build.env },
    logFile: build.logFile,
    onParentDeath: 'SIGKILL',
    onLine: (line) => {
      if (line.startsWith('go: downloading ')) count.modules += 1;
      else if (/^[\w.\-/]+$/.test(line)) count.packages += 1;
      notify();
    },
  });
  const stop = (): void => child.kill('SIGTERM');
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const ticker = setInterval(notify, 1000);
  const exit = await child.exited;
  clearInterval(ticker);
  process.off('SIGINT', stop);
  process.off('SIGTERM', stop);
  if (exit.code !== 0) throw new Error(describeExit(child, exit));
}

/** What the progress line says of a running build. */
export function describeBuild(count: BuildCount & { readonly expectedPackages: number }, elapsedMs: number): string {
  const modules = count.modules > 0 ? `${count.modules} modules downloaded, ` : '';
  const packages = `${count.packages} of up to ${count.expectedPackages} packages compiled`;
  return `${modules}${packages}, ${formatDuration(elapsedMs)}`;
}
