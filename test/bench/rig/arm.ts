import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { defaultOptions } from '../../../infra/local/aci/options.ts';
import type { EmulatorOptions } from '../../../infra/local/aci/options.ts';
import type { ScriptedBehaviour } from '../../../infra/local/aci/runtime/scripted.ts';
import { startChild } from '../../../infra/local/child.ts';
import type { Child } from '../../../infra/local/child.ts';
import { createCertificateAuthority, issueCertificate } from '../../../infra/local/pki.ts';

const ready = z.object({ armUrl: z.string(), identityUrl: z.string(), adminUrl: z.string() });
const journal = z.object({
  requests: z.array(
    z.object({
      time: z.string(),
      method: z.string(),
      path: z.string(),
      status: z.number(),
      durationMs: z.number(),
      code: z.string().optional(),
    }),
  ),
});
const groups = z.object({
  groups: z.array(z.object({ name: z.string(), tags: z.record(z.string(), z.string()) })),
});
const runs = z.object({
  runs: z.array(
    z.object({
      uid: z.string(),
      startedAt: z.string(),
      finishedAt: z.string().optional(),
      exitCode: z.number().optional(),
    }),
  ),
});

export interface ArmRequest {
  readonly method: string;
  /** Path without the query. */
  readonly path: string;
  /** Name of the group when the request is about one. */
  readonly group: string | undefined;
  readonly status: number;
  /** When it came and when it was answered, ms since the epoch. */
  readonly atMs: number;
  readonly answeredAtMs: number;
}

export interface Run {
  readonly uid: string;
  readonly finishedAtMs: number | undefined;
}

/** A container group, and what it is marked with. */
export interface TaggedGroup {
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface BenchArm {
  readonly child: Child<z.infer<typeof ready>>;
  readonly caFile: string;
  readonly identityHeader: string;
  /** Every request since the start or the last `forget`. */
  requests(): Promise<readonly ArmRequest[]>;
  /** Every start of a container. */
  runs(): Promise<readonly Run[]>;
  forget(): Promise<void>;
  groups(): Promise<readonly TaggedGroup[]>;
  /** Has the containers of a group end, as when their process 1 did. */
  end(group: string, exitCode: number): Promise<void>;
}

export const subscription = '00000000-0000-4000-8000-000000000000';
export const resourceGroup = 'pods';
export const location = 'westeurope';

/** ACI's counts of groups, cores and creates lifted, ARM's buckets as they are. */
export const liftedKnobs: Partial<EmulatorOptions> = {
  quota: { containerGroups: 100_000, standardCores: 1_000_000 },
  resourceRequests: { per5Minutes: 900_000, perHour: 900_000 },
  armBuckets: defaultOptions.armBuckets,
  journalSize: 300_000,
};

export interface ArmWanted {
  readonly knobs: Partial<EmulatorOptions>;
  readonly env?: NodeJS.ProcessEnv;
  /** What containers do that say nothing themselves, by image; others run until they are stopped. */
  readonly scripts?: Readonly<Record<string, ScriptedBehaviour>>;
}

/** The ARM and ACI emulator as a process of its own; containers are data and cost nothing. */
export async function startArm(dir: string, { knobs, env = {}, scripts = {} }: ArmWanted): Promise<BenchArm> {
  const authority = await createCertificateAuthority('benchmark ARM');
  const server = await issueCertificate(authority, {
    commonName: 'arm.local',
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
    usages: ['server'],
  });
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text, { mode: 0o600 });
    return join(dir, name);
  };
  const identityHeader = randomBytes(24).toString('hex');
  const child = await startChild({
    name: 'aci',
    command: process.execPath,
    args: [
      join(import.meta.dirname, '..', '..', '..', 'infra/local/aci/main.ts'),
      ...Object.entries({
        state: join(dir, 'aci'),
        runtime: 'scripted',
        subscription,
        'resource-group': resourceGroup,
        location,
        'timings-scale': '1',
        knobs: file('aci-knobs.json', JSON.stringify({ ...liftedKnobs, ...knobs })),
        scripts: file('aci-scripts.json', JSON.stringify(scripts)),
        cert: file('arm.crt', server.certPem),
        key: file('arm.key', server.keyPem),
      }).flatMap(([flag, value]) => [`--${flag}`, value]),
    ],
    env: { ...process.env, ...env, IDENTITY_HEADER: identityHeader },
    logFile: join(dir, 'aci.log'),
    stdin: 'pipe',
    ready: (line) => (line.startsWith('{"ready"') ? ready.parse(JSON.parse(line)) : undefined),
    readyTimeoutMs: 60_000,
  });
  const { adminUrl } = child.value;
  const ask = async (path: string): Promise<unknown> => (await fetch(`${adminUrl}/_emulator/${path}`)).json();
  return {
    child,
    caFile: file('arm-ca.crt', authority.certPem),
    identityHeader,
    requests: async () => journal.parse(await ask('journal')).requests.map(readRequest),
    runs: async () =>
      runs.parse(await ask('runs')).runs.map(({ uid, finishedAt }) => ({
        uid,
        finishedAtMs: finishedAt === undefined ? undefined : Date.parse(finishedAt),
      })),
    groups: async () => groups.parse(await ask('groups')).groups,
    end: async (group, exitCode) => {
      await fetch(`${adminUrl}/_emulator/kill`, { method: 'POST', body: JSON.stringify({ group, exitCode }) });
    },
    forget: async () => {
      await fetch(`${adminUrl}/_emulator/journal`, { method: 'DELETE' });
    },
  };
}

function readRequest(entry: z.infer<typeof journal>['requests'][number]): ArmRequest {
  const path = entry.path.split('?')[0] ?? '';
  const atMs = Date.parse(entry.time);
  return {
    method: entry.method,
    path,
    group: /\/containerGroups\/([^/]+)/i.exec(path)?.[1],
    status: entry.status,
    atMs,
    answeredAtMs: atMs + entry.durationMs,
  };
}
