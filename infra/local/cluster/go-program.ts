/** A Go program of a pinned version, built once into the user's cache folder. */
import { accessSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { withFileLock } from '../../package/file-lock.ts';
import type { Progress, Report } from '../../cli/progress.ts';
import { runGoBuild } from './go-build.ts';
import type { GoBuild } from './go-build.ts';
import { findGoToolchain } from '../../package/go-toolchain.ts';

export interface GoProgram {
  /** What the progress line calls it. */
  readonly title: string;
  /** The folder that holds all builds of it, and their log. */
  readonly root: string;
  /** The folder of this build, named after everything that changes the program. */
  readonly folder: string;
  /** The file's name. */
  readonly file: string;
  readonly goVersion: string;
  /** What Go is called with to put the program into the folder `into`. */
  readonly build: (into: string) => Pick<GoBuild, 'args' | 'cwd' | 'expectedPackages'> & Partial<Pick<GoBuild, 'env'>>;
}

/** The path of the program where it is built. */
export function builtProgram({ folder, file }: GoProgram): string | undefined {
  const path = join(folder, file);
  try {
    accessSync(path);
    return path;
  } catch {
    return undefined;
  }
}

/**
 * The program, from the cache folder or built now. Two builds at once wait for each other; one that is interrupted leaves
 * nothing that could be taken for a finished one. A missing or too old Go is a `GoToolchainError`.
 */
export async function ensureProgram(program: GoProgram, progress: Progress): Promise<string> {
  const { folder, title, goVersion } = program;
  const built = builtProgram(program);
  if (built !== undefined) return built;
  const go = await findGoToolchain(goVersion);
  await progress.step(title, async (report) => {
    const work = async (): Promise<void> => {
      if (builtProgram(program) === undefined) await buildInto(program, go.command, report);
      report(folder);
    };
    await withFileLock(`${folder}.lock`, work, () => report('another build is under way, waiting for it'));
  });
  return join(folder, program.file);
}

/** It goes into a folder of its own, which becomes the real one by its name, at once. */
async function buildInto({ root, folder, build }: GoProgram, go: string, report: Report): Promise<void> {
  const temporary = `${folder}.${process.pid}.tmp`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  try {
    const count = { packages: 0, modules: 0 };
    await runGoBuild({ ...build(temporary), go, logFile: join(root, 'build.log'), count, report });
    rmSync(folder, { recursive: true, force: true });
    renameSync(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
