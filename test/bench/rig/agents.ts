import { execFile, spawn } from 'node:child_process';
import { closeSync, constants, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import type { ContainerOrders, Report, Supervise } from '../../../shared/core/agent/orders.ts';
import { hook } from './pods.ts';

const run = promisify(execFile);
const record = z.object({ ended: z.object({ finishedAt: z.string() }).optional() });

export interface AgentWanted {
  readonly name: string;
  readonly uid: string;
  readonly nonce: string;
  readonly report: Report;
  readonly supervise?: Partial<Supervise>;
}

/** An agent and its program as ordinary processes of this machine. */
export interface AgentProcess {
  readonly name: string;
  readonly uid: string;
  readonly pid: number;
  /** The program, which waits for this, ends after so many seconds, with 3. */
  endAfter(seconds: number): Promise<void>;
  /** When the program ended by the agent's own record, ms since the epoch, in fractions; undefined: it runs. */
  finishedAtMs(): number | undefined;
  /** Resolves when the agent has gone, its last report answered. */
  readonly exited: Promise<void>;
}

export interface Agents {
  start(wanted: readonly AgentWanted[]): Promise<readonly AgentProcess[]>;
  /** Ends all of them and their programs. */
  stop(): Promise<void>;
}

const container = 'main';
const longestEndMs = 20_000;
const startedAtOnce = 40;

/** Runs agents from the program `agent`, each with a folder of its own below `dir`. */
export function createAgents(dir: string, agent: string): Agents {
  const started: AgentProcess[] = [];
  const living = new Set<AgentProcess>();
  const gates: string[] = [];
  const killAll = (): void => {
    for (const { pid } of living) process.kill(pid, 'SIGKILL');
    for (const gate of gates) release(gate);
  };
  process.on('exit', killAll);
  const startOne = (wanted: AgentWanted): AgentProcess => {
    const folder = join(dir, wanted.name);
    const file = join(folder, 'orders');
    writeFileSync(file, JSON.stringify(ordersOf(wanted, folder)), { mode: 0o600 });
    // It becomes the agent, which ends its program when nobody is left to.
    const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', agent, 'run', file], { stdio: 'ignore' });
    if (child.pid === undefined) throw new Error(`the agent of ${wanted.name} could not be started`);
    const { name, uid } = wanted;
    const one: AgentProcess = {
      name,
      uid,
      pid: child.pid,
      endAfter: (seconds) => writeFile(join(folder, 'gate'), `${seconds}\n`),
      finishedAtMs: () => finishedAtMs(join(folder, 'c', container, 'state')),
      exited: new Promise((resolve) => {
        child.on('exit', () => {
          living.delete(one);
          resolve();
        });
      }),
    };
    living.add(one);
    return one;
  };
  return {
    start: async (wanted) => {
      const paths = wanted.map(({ name }) => join(dir, name));
      for (const path of paths) mkdirSync(path, { recursive: true });
      const pipes = paths.map((path) => join(path, 'gate'));
      for (let from = 0; from < pipes.length; from += 500) await run('mkfifo', pipes.slice(from, from + 500));
      gates.push(...pipes);
      const now: AgentProcess[] = [];
      for (const [index, one] of wanted.entries()) {
        now.push(startOne(one));
        if (index % startedAtOnce === startedAtOnce - 1) await new Promise((resolve) => setTimeout(resolve, 500));
      }
      started.push(...now);
      return now;
    },
    stop: async () => {
      for (const { pid } of living) process.kill(pid, 'SIGTERM');
      const all = Promise.all(started.map(({ exited }) => exited));
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([all, new Promise((resolve) => (timer = setTimeout(resolve, longestEndMs)))]);
      clearTimeout(timer);
      killAll();
      process.off('exit', killAll);
    },
  };
}

/** What infra/agent/README.md says of orders; those of an agent that is a plain process have a folder beside. */
function ordersOf(
  { name, uid, nonce, report, supervise }: AgentWanted,
  folder: string,
): ContainerOrders & { readonly stateDir: string } {
  return {
    schemaVersion: 1,
    kind: 'container',
    pod: { namespace: 'default', name, uid },
    nonce,
    report,
    stateDir: folder,
    container,
    mode: 'supervise',
    program: { argv: ['sh', '-c', 'read -r seconds <gate; sleep "$seconds"; exit 3'], workingDir: folder },
    supervise: {
      restartPolicy: 'Never',
      graceSeconds: 5,
      postStart: hook,
      termination: { path: join(folder, 'message'), policy: 'File' },
      ...supervise,
    },
  };
}

/** RFC 3339 has more digits than `Date` reads. */
function finishedAtMs(file: string): number | undefined {
  const at = record.parse(JSON.parse(readFileSync(file, 'utf8'))).ended?.finishedAt;
  if (at === undefined) return undefined;
  const [, seconds = '', fraction = ''] = /^([^.Z]+)(?:(\.\d+))?Z$/.exec(at) ?? [];
  return Date.parse(`${seconds}Z`) + Number(fraction === '' ? 0 : `0${fraction}`) * 1000;
}

/** Whoever waits at a pipe goes on; opened for both directions, nothing here waits. */
function release(gate: string): void {
  const pipe = openSync(gate, constants.O_RDWR | constants.O_NONBLOCK);
  writeSync(pipe, '0\n');
  closeSync(pipe);
}
