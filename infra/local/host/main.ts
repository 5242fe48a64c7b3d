/**
 * `node infra/local/host/main.ts --app DIR --settings FILE --logs DIR [--entry FILE] [--port N] [--admin-port N]
 * [--http-instances N] [--keys FILE] [--no-auth]`, and each time or limit of the host as `--start-up-delay-ms N` and the
 * like. `--single-process` has timers and HTTP in one process. Prints one JSON line when ready; ends gracefully on SIGINT,
 * or when its standard input is closed. SIGTERM is ignored, as by the real host, unless `--drain-on-sigterm` is given.
 */
import { fstatSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { DEFAULT_KNOBS } from './host-context.ts';
import { startFunctionsHost } from './supervisor.ts';
import { defined } from '../../../shared/core/defined.ts';

const knobOptions = Object.fromEntries(
  Object.keys(DEFAULT_KNOBS).map((name) => [kebab(name), { type: 'string' as const }]),
);

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function number(name: string, text: string): number {
  const value = Number(text);
  if (text === '' || !Number.isInteger(value) || value < 0)
    throw new Error(`--${name} wants a whole number of 0 or more, not "${text}"`);
  return value;
}

function knobs(values: Readonly<Record<string, unknown>>): Record<string, number> {
  return Object.fromEntries(
    Object.keys(DEFAULT_KNOBS).flatMap((name) => {
      const given = values[kebab(name)];
      return typeof given === 'string' ? [[name, number(kebab(name), given)]] : [];
    }),
  );
}

/** Whether somebody holds the other end of standard input; /dev/null is at its end from the start and means nothing. */
function hasParent(): boolean {
  try {
    const stdin = fstatSync(0);
    return process.stdin.isTTY || stdin.isFIFO() || stdin.isSocket();
  } catch {
    return false;
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      ...knobOptions,
      app: { type: 'string' },
      entry: { type: 'string' },
      port: { type: 'string', default: '7071' },
      settings: { type: 'string' },
      logs: { type: 'string' },
      keys: { type: 'string' },
      'admin-port': { type: 'string' },
      'no-auth': { type: 'boolean', default: false },
      'single-process': { type: 'boolean', default: false },
      'drain-on-sigterm': { type: 'boolean', default: false },
    },
  });
  const { app, settings, logs } = values;
  if (app === undefined || settings === undefined || logs === undefined)
    throw new Error('--app DIR, --settings FILE and --logs DIR are required');
  const adminPort = values['admin-port'];
  const host = await startFunctionsHost({
    ...knobs(values),
    appRoot: app,
    settingsFile: settings,
    logDir: logs,
    port: number('port', values.port),
    auth: !values['no-auth'],
    singleProcess: values['single-process'],
    ...defined({ entry: values.entry, keysFile: values.keys }),
    ...(adminPort === undefined ? {} : { adminPort: number('admin-port', adminPort) }),
  });
  const stop = (): void => {
    void host.stop().then(() => process.exit(0));
  };
  process.on('SIGTERM', values['drain-on-sigterm'] ? stop : () => undefined);
  process.on('SIGINT', stop);
  if (hasParent()) process.stdin.on('end', stop).on('error', stop).resume();
  console.log(JSON.stringify({ ready: true, url: host.url, adminUrl: host.adminUrl, keysFile: host.keysFile }));
}

try {
  await main();
} catch (thrown) {
  console.error(thrown instanceof Error ? thrown.message : String(thrown));
  process.exit(1);
}
