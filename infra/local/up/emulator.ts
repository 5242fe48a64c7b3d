import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { startChild } from '../child.ts';
import type { Child } from '../child.ts';
import { createCertificateAuthority, issueCertificate } from '../pki.ts';
import { findEngine } from '../aci/runtime/engine.ts';
import { bubblewrapWorks } from '../aci/runtime/process.ts';
import type { UpOptions } from './options.ts';

/** The subnet that the container engine's network stands for. */
export const emulatedSubnet = ({ subscription, resourceGroup }: UpOptions['arm']): string =>
  `/subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/Microsoft.Network/virtualNetworks/local/subnets/containers`;

/** A user-assigned identity that the app may give to groups, where a grant names it. */
export const emulatedIdentity = ({
  subscription,
  resourceGroup,
}: Pick<UpOptions['arm'], 'subscription' | 'resourceGroup'>): string =>
  `/subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/pods`;

/** What the emulator says when it serves. */
const readySchema = z.object({
  ready: z.literal(true),
  armUrl: z.string(),
  identityUrl: z.string(),
  adminUrl: z.string(),
  /** Where exec and attach lead, over TLS of the same authority as ARM's; containers reach it too. */
  execUrl: z.string(),
  runtime: z.enum(['engine', 'process', 'scripted']),
  bridge: z.object({ gateway: z.string(), subnet: z.string() }).optional(),
  /** `address:port` of what stands for Azure's resolver. */
  resolver: z.string().optional(),
});

export type EmulatorReady = z.infer<typeof readySchema>;

export interface Emulator {
  readonly child: Child<EmulatorReady>;
  readonly caFile: string;
  /** The secret of the identity endpoint; it is in no log. */
  readonly identityHeader: string;
  /** Both as given to {@link startEmulator}. */
  readonly registryEndpoints: string | undefined;
  readonly coredns: string | undefined;
}

/** The runtime asked for, or the best this machine has. */
export async function chooseRuntime(wanted: UpOptions['runtime']): Promise<'engine' | 'process'> {
  if (wanted !== undefined) return wanted;
  return (await findEngine()) === undefined ? 'process' : 'engine';
}

/** What plain processes are, and are not, kept apart from. */
export async function describeProcesses(wanted: UpOptions['runtime']): Promise<string> {
  const reason = wanted === 'process' ? '' : 'no Podman or Docker: ';
  const isolation = (await bubblewrapWorks())
    ? "each sees this machine's files read-only, a /tmp and volumes of its own, and no other processes"
    : 'nothing keeps them apart from this machine: they are processes of your own user (Debian: apt-get install bubblewrap)';
  return `${reason}containers run as plain processes, without images; ${isolation}`;
}

/** The ARM and ACI emulator as a process of its own, over TLS of a CA made for this start, with the identity endpoint beside it. */
export async function startEmulator(
  dir: string,
  runtime: 'engine' | 'process',
  {
    arm,
    createsPerHour,
    registryEndpoints,
    coredns,
  }: Pick<UpOptions, 'arm' | 'createsPerHour'> & {
    /** As the app's setting `REGISTRY_ENDPOINTS`. */
    readonly registryEndpoints?: string | undefined;
    /** Path of CoreDNS, which then answers for Azure's resolver. */
    readonly coredns?: string | undefined;
  },
): Promise<Emulator> {
  const ca = await createCertificateAuthority('serverless-kubelet local ARM');
  const server = await issueCertificate(ca, {
    commonName: 'arm.local',
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
    usages: ['server'],
  });
  const file = (name: string, text: string): string => {
    const path = join(dir, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const caFile = file('arm-ca.crt', ca.certPem);
  const identityHeader = randomBytes(24).toString('hex');
  const child = await startChild({
    name: 'aci',
    command: process.execPath,
    args: [
      join(import.meta.dirname, '..', 'aci', 'main.ts'),
      '--state',
      join(dir, 'aci'),
      '--runtime',
      runtime,
      '--subscription',
      arm.subscription,
      '--resource-group',
      arm.resourceGroup,
      '--subnet',
      emulatedSubnet(arm),
      '--identity',
      emulatedIdentity(arm),
      '--location',
      arm.location,
      ...(registryEndpoints === undefined ? [] : ['--registry-endpoints', registryEndpoints]),
      ...(coredns === undefined ? [] : ['--coredns', coredns]),
      '--knobs',
      file(
        'aci-knobs.json',
        JSON.stringify({
          resourceRequests: { per5Minutes: Math.floor(createsPerHour / 3), perHour: createsPerHour },
          // Containers find what this machine finds.
          vnetDns: 'machine',
        }),
      ),
      '--cert',
      file('arm.crt', server.certPem),
      '--key',
      file('arm.key', server.keyPem),
      '--ca',
      caFile,
      '--ca-key',
      file('arm-ca.key', ca.keyPem),
    ],
    env: { ...process.env, IDENTITY_HEADER: identityHeader },
    logFile: join(dir, 'logs', 'aci.log'),
    pidDir: join(dir, 'run'),
    stdin: 'pipe',
    ready: readReady,
    readyTimeoutMs: 60_000,
  });
  return { child, caFile, identityHeader, registryEndpoints, coredns };
}

function readReady(line: string): EmulatorReady | undefined {
  if (!line.startsWith('{"ready"')) return undefined;
  return readySchema.parse(JSON.parse(line));
}
