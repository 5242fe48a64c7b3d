import { fstatSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { readConfig } from './config-file.ts';
import { apiServerFiles, filesOf } from './config.ts';
import { runDrain } from './drain/drain-command.ts';
import { createLog } from './log.ts';
import { startRelay } from './relay.ts';
import type { Relay } from './relay.ts';

const help = `The relay of serverless-kubelet: posts the pods of virtual nodes to the function app, serves the nodes' kubelet API.

usage: relay --config FILE
       relay drain --config FILE [--timeout-seconds N] [--app-role-binding NAME]

  --config FILE   JSON: clusterUid, app {url, tokenFile, caFile?}, aci? {caFile?}, nodes [{name, port, serving?}], serving {certFile,
                  keyFile}, kubeletClientCaFile, apiServer {url?, caFile?, tokenFile?} (default: in the cluster),
                  leaderElection? {namespace, name}, installation?, listenAddress? (0.0.0.0), health {address?, port?}
                  (127.0.0.1:10248)
  --help          this text

Prints one line of JSON when it serves; logs JSON lines to stderr. Ends on SIGTERM, SIGINT, or when standard input is a
pipe that closes.

drain takes the nodes out of the cluster: keeps new pods away, evicts those that are there (after half of the time
deletes them), waits until they have ended, deletes Nodes and Leases. It may be repeated at any point.

  --timeout-seconds N       how long it may take (300)
  --app-role-binding NAME   a ClusterRoleBinding to delete before the Nodes, so that the app can't make them anew

Exit codes of drain: 0 nothing is left, 1 failed, 4 timed out: what is left is named, and no Node was deleted.
`;

const closeWithinMs = 4500;
const defaultTimeoutSeconds = '300';

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      config: { type: 'string' },
      help: { type: 'boolean', default: false },
      'timeout-seconds': { type: 'string', default: defaultTimeoutSeconds },
      'app-role-binding': { type: 'string' },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  if (values.config === undefined) throw new Error('--config FILE is required; see --help');
  const [command, ...rest] = positionals;
  if (rest.length > 0 || (command !== undefined && command !== 'drain'))
    throw new Error(`"${positionals.join(' ')}" is no command; see --help`);
  if (command === undefined) return serve(values.config);
  process.exitCode = await runDrain({
    config: readConfig(values.config, apiServerFiles),
    timeoutSeconds: secondsOf(values['timeout-seconds']),
    appRoleBinding: values['app-role-binding'],
    say: (line) => process.stdout.write(`${line}\n`),
  });
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (/^\d{1,5}$/.test(text) && seconds > 0) return seconds;
  throw new Error('--timeout-seconds is a number of seconds, 1 to 99999');
}

async function serve(configFile: string): Promise<void> {
  const relay = await startRelay(readConfig(configFile, filesOf), createLog());
  endWithParent(relay);
  process.stdout.write(`${JSON.stringify({ ready: true, ports: relay.ports, health: relay.healthPort })}\n`);
}

function endWithParent(relay: Relay): void {
  const end = (): void => {
    setTimeout(() => process.exit(0), closeWithinMs).unref();
    void relay.close().then(() => process.exit(0));
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  // Only a pipe reports the parent's death; /dev/null is at its end from the start.
  const stdin = fstatSync(0);
  if (stdin.isFIFO() || stdin.isSocket()) process.stdin.on('end', end).on('close', end).on('error', end).resume();
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
