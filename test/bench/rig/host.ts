import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { startChild } from '../../../infra/local/child.ts';
import type { Child } from '../../../infra/local/child.ts';
import { repository } from './bundles.ts';
import { defined } from '../../../shared/core/defined.ts';

const ready = z.object({ url: z.string(), adminUrl: z.string(), keysFile: z.string() });
const counters = z.record(
  z.string(),
  z.object({ count: z.number(), failures: z.number(), totalDurationMs: z.number() }),
);
const workers = z.array(z.object({ name: z.string(), pid: z.number().optional(), state: z.string() }));
const keys = z.object({ masterKey: z.string() });

export type Counters = z.infer<typeof counters>;

export interface BenchHost {
  readonly child: Child<z.infer<typeof ready>>;
  /** Invocations since the start, by function. */
  invocations(): Promise<Counters>;
  workers(): Promise<z.infer<typeof workers>>;
  /** No timer fires by itself any more, or again. */
  holdTimers(held: boolean): Promise<void>;
  /** Kills every process of the app at once; the host starts new ones. */
  killAll(): Promise<void>;
  /** Runs a timer function once and answers how long the invocation took. */
  runTimer(name: string): Promise<number>;
}

export interface HostOptions {
  /** The app's folder. */
  readonly app: string;
  readonly settings: Readonly<Record<string, string>>;
  /** Any that is free unless given. */
  readonly port?: number;
  readonly env?: NodeJS.ProcessEnv;
  readonly flags?: readonly string[];
}

/** The Functions host with the bundled app: a process for each timer, two and more for HTTP, as on Flex. */
export async function startHost(dir: string, options: HostOptions): Promise<BenchHost> {
  const settings = join(dir, 'local.settings.json');
  mkdirSync(join(dir, 'functions'), { recursive: true });
  writeFileSync(settings, JSON.stringify({ IsEncrypted: false, Values: options.settings }), { mode: 0o600 });
  const child = await startChild({
    name: 'functions',
    command: process.execPath,
    args: [
      join(repository, 'infra/local/host/main.ts'),
      ...Object.entries({
        app: options.app,
        port: String(options.port ?? 0),
        'admin-port': '0',
        settings,
        logs: join(dir, 'functions'),
      }).flatMap(([flag, value]) => [`--${flag}`, value]),
      ...(options.flags ?? []),
    ],
    ...defined({ env: options.env }),
    logFile: join(dir, 'functions.log'),
    stdin: 'pipe',
    stopSignal: 'SIGINT',
    ready: (line) => (line.startsWith('{"ready"') ? ready.parse(JSON.parse(line)) : undefined),
    readyTimeoutMs: 60_000,
  });
  const { url, adminUrl, keysFile } = child.value;
  const ask = async (path: string): Promise<unknown> => (await fetch(`${adminUrl}${path}`)).json();
  const invocations = async (): Promise<Counters> => counters.parse(await ask('/invocations'));
  return {
    child,
    invocations,
    workers: async () => workers.parse(await ask('/workers')),
    holdTimers: async (held) => {
      await fetch(`${adminUrl}/timers${held ? '?missEvery=1' : ''}`, { method: 'POST' });
    },
    killAll: async () => {
      await fetch(`${adminUrl}/kill?target=all`, { method: 'POST' });
    },
    runTimer: (name) => runTimer(name, { url, keysFile, invocations }),
  };
}

const pollMs = 20;

async function runTimer(
  name: string,
  host: { readonly url: string; readonly keysFile: string; readonly invocations: () => Promise<Counters> },
): Promise<number> {
  const before = (await host.invocations())[name];
  const key = await readMasterKey(host.keysFile);
  const started = await fetch(`${host.url}/admin/functions/${name}`, {
    method: 'POST',
    headers: { 'x-functions-key': key, 'content-type': 'application/json' },
    body: '{"input":""}',
  });
  if (started.status !== 202) throw new Error(`the host did not run ${name}: HTTP ${started.status}`);
  for (let waitedMs = 0; waitedMs < 120_000; waitedMs += pollMs) {
    const now = (await host.invocations())[name];
    if (now !== undefined && now.count > (before?.count ?? 0))
      return now.totalDurationMs - (before?.totalDurationMs ?? 0);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  throw new Error(`${name} did not end within two minutes`);
}

async function readMasterKey(file: string): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  return keys.parse(JSON.parse(await readFile(file, 'utf8'))).masterKey;
}
