import { fstatSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createRealClock, VirtualClock } from './clock.ts';
import { startEmulator } from './emulator.ts';
import type { EmulatorStart, RunningEmulator } from './emulator.ts';
import { pickNetworkKnobs } from './network/knobs.ts';
import { openGroupNetworks } from './network/open.ts';
import { defaultOptions } from './options.ts';
import type { EmulatorOptions } from './options.ts';
import { createRuntime } from './runtimes.ts';
import { defined } from '../../../shared/core/defined.ts';
import { registryEndpoints } from '../../../shared/wire/registry-settings.ts';

const help = `The ARM + ACI emulator as a process of its own.

  --state DIR             where the runtime keeps its state (required)
  --runtime NAME          engine | process | scripted (default engine)
  --cert FILE --key FILE  PEM certificate and key of the ARM door (required)
  --subscription ID       subscription (required)
  --resource-group NAME   resource group that exists; may be repeated (required)
  --subnet ID             subnet that the app's identity may put groups in; may be repeated
  --identity ID           user-assigned identity that the app's identity may give to groups; may be repeated
  --location NAME         region; may be repeated (default westeurope)
  --arm-port N            0 is any free port, as for the next three (default 0)
  --identity-port N
  --admin-port N
  --exec-port N           of exec and attach; Azure's is 19390
  --ca FILE --ca-key FILE the ARM door's authority: signs for the port of exec an address that containers reach too
  --identity-header TEXT  fixed identity header (default: the environment's IDENTITY_HEADER, or random and printed)
  --timings-scale X       1 is Azure's pace (about 16 s from PUT to Running), default 0.2
  --stop-grace SECONDS    TERM to KILL (default ${defaultOptions.stopGraceSeconds})
  --knobs FILE            JSON with further EmulatorOptions
  --virtual-clock         time moves only by POST /_emulator/clock
  --plain                 ARM over plain HTTP as well
  --coredns FILE          CoreDNS: answers at 168.63.129.16 for Azure's resolver, in groups in a subnet
  --scripts FILE          of the runtime scripted: JSON, what containers do, by image
  --registry-endpoints T  HOST=ORIGIN, separated by commas: registries of images that Podman asks elsewhere

Prints one line of JSON when ready and ends, leaving no container, on SIGTERM, SIGINT or when stdin closes.
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      state: { type: 'string' },
      runtime: { type: 'string', default: 'engine' },
      cert: { type: 'string' },
      key: { type: 'string' },
      subscription: { type: 'string' },
      'resource-group': { type: 'string', multiple: true },
      subnet: { type: 'string', multiple: true },
      identity: { type: 'string', multiple: true },
      location: { type: 'string', multiple: true },
      'arm-port': { type: 'string', default: '0' },
      'identity-port': { type: 'string', default: '0' },
      'admin-port': { type: 'string', default: '0' },
      'exec-port': { type: 'string', default: '0' },
      ca: { type: 'string' },
      'ca-key': { type: 'string' },
      'identity-header': { type: 'string' },
      'timings-scale': { type: 'string', default: '0.2' },
      'stop-grace': { type: 'string' },
      knobs: { type: 'string' },
      'virtual-clock': { type: 'boolean', default: false },
      plain: { type: 'boolean', default: false },
      scripts: { type: 'string' },
      'registry-endpoints': { type: 'string' },
      coredns: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  const clock = values['virtual-clock'] ? new VirtualClock(Date.now()) : createRealClock();
  const log = (message: string): void => {
    process.stderr.write(`${message}\n`);
  };
  const header = values['identity-header'] ?? process.env['IDENTITY_HEADER'];
  const runtime = await createRuntime(values.runtime, {
    stateDir: required(values.state, '--state'),
    clock,
    log,
    endpoints: registryEndpoints.parse(values['registry-endpoints']),
    ...(values.scripts !== undefined && { scripts: await readFile(values.scripts, 'utf8') }),
  });
  const { bridge } = runtime;
  const knobs = await readKnobs(values.knobs, values['timings-scale'], values['stop-grace']);
  const groupNetworks = await openGroupNetworks({
    runtime,
    knobs: pickNetworkKnobs({ ...defaultOptions, ...knobs }),
    coredns: values.coredns,
    dir: join(required(values.state, '--state'), 'network'),
    log,
  });
  const emulator = await startEmulator({
    groupNetworks,
    runtime,
    clock,
    log,
    subscriptionId: required(values.subscription, '--subscription'),
    resourceGroups: values['resource-group'] ?? [required(undefined, '--resource-group')],
    joinableSubnets: values.subnet ?? [],
    assignableIdentities: values.identity ?? [],
    locations: values.location ?? ['westeurope'],
    tls: {
      cert: await readFile(required(values.cert, '--cert'), 'utf8'),
      key: await readFile(required(values.key, '--key'), 'utf8'),
    },
    armPort: Number(values['arm-port']),
    identityPort: Number(values['identity-port']),
    adminPort: Number(values['admin-port']),
    exec: { port: Number(values['exec-port']), at: await execAddress(bridge?.gateway, values.ca, values['ca-key']) },
    plainArm: values.plain,
    knobs,
    ...defined({ identityHeader: header }),
  });
  endWithParent(emulator);
  const { armUrl, plainArmUrl, identityUrl, identityHeader, adminUrl, execUrl } = emulator;
  const ready = {
    ready: true,
    armUrl,
    plainArmUrl,
    identityUrl,
    // Who gave the header knows it; what is printed may be in a log.
    ...(header === undefined ? { identityHeader } : {}),
    adminUrl,
    execUrl,
    runtime: runtime.kind,
    bridge,
    resolver: groupNetworks.resolver,
  };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
}

async function readKnobs(
  file: string | undefined,
  timingsScale: string,
  stopGrace: string | undefined,
): Promise<Partial<EmulatorOptions>> {
  const fromFile: Partial<EmulatorOptions> = file === undefined ? {} : JSON.parse(await readFile(file, 'utf8'));
  const grace = stopGrace === undefined ? {} : { stopGraceSeconds: Number(stopGrace) };
  return { timingsScale: Number(timingsScale), ...grace, ...fromFile };
}

/** The gateway, at which this machine and the containers reach a port, with a certificate for it; `undefined` without either. */
async function execAddress(
  gateway: string | undefined,
  caFile: string | undefined,
  keyFile: string | undefined,
): Promise<NonNullable<EmulatorStart['exec']>['at']> {
  if (gateway === undefined || caFile === undefined) return undefined;
  const { issueCertificate } = await import('../pki.ts');
  const authority = {
    certPem: await readFile(caFile, 'utf8'),
    keyPem: await readFile(required(keyFile, '--ca-key'), 'utf8'),
  };
  const pair = await issueCertificate(authority, {
    commonName: 'exec.local',
    ipAddresses: [gateway],
    usages: ['server'],
  });
  return { host: gateway, tls: { cert: pair.certPem, key: pair.keyPem } };
}

function required(value: string | undefined, flag: string): string {
  if (value === undefined) throw new Error(`${flag} is required; see --help`);
  return value;
}

function endWithParent(emulator: RunningEmulator): void {
  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    emulator.close().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${String(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  // Only a pipe reports the parent's death; /dev/null ends at once.
  const stdin = fstatSync(0);
  if (stdin.isFIFO() || stdin.isSocket()) process.stdin.on('end', end).on('close', end).on('error', end).resume();
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
