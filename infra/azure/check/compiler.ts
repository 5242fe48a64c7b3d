import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';

/** What a run of the compiler came to; a code other than 0 is a value. */
export interface CompilerResult {
  readonly code: number;
  readonly stdout: string;
  /** Warnings and errors. */
  readonly stderr: string;
}

export interface Compiler {
  readonly path: string;
  /** In `cwd`, or the repository. */
  run(args: readonly string[], cwd?: string): Promise<CompilerResult>;
}

const repository = resolve(import.meta.dirname, '../../..');
const name = process.platform === 'win32' ? 'bicep.exe' : 'bicep';

/** The one that BICEP names, that is on the PATH, that `az bicep install` brought, or that lies beside the repository. */
export function findCompiler(environment: NodeJS.ProcessEnv): Compiler | undefined {
  const { BICEP: named, PATH = '', AZURE_CONFIG_DIR = join(homedir(), '.azure') } = environment;
  if (named !== undefined && named !== '') {
    if (!isProgram(named))
      throw new Error(`BICEP names ${named}, which is no program: name the Bicep CLI, or unset it`);
    return compilerAt(named);
  }
  const places = [
    ...PATH.split(delimiter).filter((folder) => folder !== ''),
    join(AZURE_CONFIG_DIR, 'bin'),
    join(repository, '../shared/tools/bicep'),
  ];
  const found = places.map((folder) => join(folder, name)).find(isProgram);
  return found === undefined ? undefined : compilerAt(found);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Nothing of the environment may decide what parameter files read from it; without ICU the compiler would not start. */
function compilerAt(path: string): Compiler {
  const { PATH, HOME, USERPROFILE, TMPDIR, TEMP } = process.env;
  const env = { PATH, HOME, USERPROFILE, TMPDIR, TEMP, DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1' };
  return {
    path,
    run: (args, cwd = repository) =>
      new Promise((done, failed) =>
        execFile(path, args, { cwd, env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
          if (error !== null && typeof error.code !== 'number') failed(error);
          else done({ code: error === null ? 0 : Number(error.code), stdout, stderr });
        }),
      ),
  };
}
