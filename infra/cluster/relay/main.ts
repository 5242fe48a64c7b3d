import { accessSync, constants, fstatSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type RelayConfig, filesOf, parseConfig } from './config.ts';
import { createLog } from './log.ts';
import { type Relay, startRelay } from './relay.ts';

const help = `The relay of serverless-kubelet: posts the pods of virtual nodes to the function app, serves the nodes' kubelet API.

usage: relay --config FILE

  --config FILE   JSON: clusterUid, app {url, tokenFile, caFile?}, nodes [{name, port, serving?}], serving {certFile,
                  keyFile}, kubeletClientCaFile, apiServer {url?, caFile?, tokenFile?} (default: in the cluster),
                  listenAddress? (0.0.0.0), health {address?, port?} (127.0.0.1:10248)
  --help          this text

Prints one line of JSON when it serves; logs JSON lines to stderr. Ends on SIGTERM, SIGINT, or when standard input is a
pipe that closes.
`;

const closeWithinMs = 4500;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { config: { type: 'string' }, help: { type: 'boolean', default: false } } });
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  if (values.config === undefined) throw new Error('--config FILE is required; see --help');
  const relay = await startRelay(readConfig(values.config), createLog());
  endWithParent(relay);
  process.stdout.write(`${JSON.stringify({ ready: true, ports: relay.ports, health: relay.healthPort })}\n`);
}

/** Throws one sentence a fault, all at once. */
function readConfig(path: string): RelayConfig {
  const parsed = parseConfig(readFileSync(path, 'utf8'));
  if (!parsed.ok) throw new Error([`${path} is not valid:`, ...parsed.faults.map((fault) => `  ${fault}`)].join('\n'));
  const missing = filesOf(parsed.value).filter(({ path: file }) => !isReadable(file));
  if (missing.length > 0) {
    const lines = missing.map(({ field, path: file }) => `  ${field}: ${file} can not be read`);
    throw new Error([`${path} names files that are not there:`, ...lines].join('\n'));
  }
  return parsed.value;
}

function isReadable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function endWithParent(relay: Relay): void {
  const end = (): void => {
    setTimeout(() => process.exit(0), closeWithinMs).unref();
    void relay.close().then(() => process.exit(0));
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  // Only a pipe tells of the parent's death; /dev/null is at its end from the start.
  const stdin = fstatSync(0);
  if (stdin.isFIFO() || stdin.isSocket()) process.stdin.on('end', end).on('close', end).on('error', end).resume();
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
