import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onPath } from '../aci/runtime/engine/backend.ts';
import { describeExit, startChild } from '../child.ts';
import type { Child } from '../child.ts';

/** A Functions host as Microsoft builds it, on this machine. */
export interface RealHost {
  /** `folder`: an unpacked host with its program `functions-host`. `func`: Azure Functions Core Tools. */
  readonly kind: 'folder' | 'func';
  readonly program: string;
}

const program = 'functions-host';

/** What `--functions-host` names: `func`, or a folder that holds the program `functions-host`. A fault is a sentence with the fix. */
export function findRealHost(given: string): RealHost {
  if (given === 'func') {
    const found = onPath('func');
    if (found !== undefined) return { kind: 'func', program: found };
    throw new Error(
      '--functions-host func: there is no func in the PATH; install Azure Functions Core Tools 4, or name the folder of an unpacked host',
    );
  }
  const folder = [given, join(given, program)].find((one) => isProgram(join(one, program)));
  if (folder !== undefined) return { kind: 'folder', program: join(folder, program) };
  throw new Error(
    `--functions-host ${given} holds no Functions host: it wants a folder with the program "${program}" in it, or "func" for Azure Functions Core Tools`,
  );
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

export interface RealHostOptions {
  readonly host: RealHost;
  /** The state folder: logs, temporary files and the record of the process are in it. */
  readonly dir: string;
  /** Names the log and the record; two instances have two. */
  readonly name: string;
  readonly appFolder: string;
  readonly port: number;
  /** App settings: its environment. */
  readonly settings: Readonly<Record<string, string>>;
  /** A path that answers neither 404 nor 503 once the app is served; the host's own ping answers earlier. */
  readonly probe: string;
}

export interface RealHostReady {
  readonly url: string;
}

const patienceMs = 120_000;
const pollMs = 200;

/**
 * Starts one instance and waits until it serves the app. Two with the same storage are two instances of one app. It ends in
 * order on SIGINT, and ignores SIGTERM.
 */
export async function startRealHost(options: RealHostOptions): Promise<Child<RealHostReady>> {
  const { host, dir, name, appFolder, port } = options;
  const temporary = join(dir, 'run', `${name}-tmp`);
  mkdirSync(temporary, { recursive: true });
  const child = await startChild({
    name,
    command: host.program,
    args: host.kind === 'func' ? ['start', '--port', String(port)] : [appFolder, String(port)],
    cwd: appFolder,
    env: { ...process.env, ...options.settings, ...hostSettings, NODE: process.execPath, TMPDIR: temporary },
    logFile: join(dir, 'logs', `${name}.log`),
    pidDir: join(dir, 'run'),
    stopSignal: 'SIGINT',
  });
  const url = `http://127.0.0.1:${port}`;
  try {
    await untilServed(child, `${url}${options.probe}`);
  } catch (error) {
    await child.stop(0);
    throw error;
  }
  return { ...child, value: { url } };
}

/** Lines on the console, and keys in the app's own storage, as on Azure. */
const hostSettings = {
  FUNCTIONS_WORKER_RUNTIME: 'node',
  AzureFunctionsJobHost__Logging__Console__IsEnabled: 'true',
  AzureWebJobsSecretStorageType: 'Blob',
} as const;

async function untilServed(child: Child<unknown>, probe: string): Promise<void> {
  const giveUpAt = Date.now() + patienceMs;
  const ended = child.exited.then((exit) => {
    throw new Error(describeExit(child, exit));
  });
  ended.catch(() => undefined);
  while (!(await Promise.race([isServed(probe), ended]))) {
    if (Date.now() > giveUpAt)
      throw new Error(`${child.name} did not serve the app within two minutes; its last lines:\n${child.lastLines()}`);
    await Promise.race([sleep(pollMs), ended]);
  }
}

async function isServed(probe: string): Promise<boolean> {
  try {
    const answer = await fetch(probe, { method: 'POST', signal: AbortSignal.timeout(5000) });
    await answer.body?.cancel();
    return answer.status !== 404 && answer.status !== 503;
  } catch {
    return false;
  }
}
