/** A whole cloud of its own, with the gate between the app and its outside worlds, and containers that are data. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { TableClient, TableServiceClient } from '@azure/data-tables';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import * as z from 'zod';
import { startChild } from '../../../infra/local/child.ts';
import type { Child } from '../../../infra/local/child.ts';
import { startGate } from '../../../infra/local/gate/gate.ts';
import type { Gate } from '../../../infra/local/gate/gate.ts';
import { createCertificateAuthority, issueCertificate } from '../../../infra/local/pki.ts';
import { allocatePort } from '../../../infra/local/ports.ts';
import { emptyBucket } from '../../../shared/core/budget/token-bucket.ts';
import { unpackEntity } from '../../../shared/adapters/tables/entity.ts';
import { birthKey, nodePartition } from '../../../shared/adapters/tables/keys.ts';
import type { Row } from '../../../shared/adapters/tables/row-table.ts';
import { createTableStore, tableName } from '../../../shared/adapters/tables/table-store.ts';
import { createProgress } from '../../../infra/cli/progress.ts';
import { startCloud } from '../../../infra/local/up/cloud.ts';
import type { Cloud } from '../../../infra/local/up/cloud.ts';
import { parseUpOptions } from '../../../infra/local/up/options.ts';

const subscription = '00000000-0000-4000-8000-000000000001';
const resourceGroup = 'serverless-kubelet';
const createsPerHour = 60_000;
const mostPods = 300;

/** ACI's pace is quickened and its counts are lifted; ARM's own buckets are real. */
const knobs = {
  timingsScale: 0.1,
  restartBackoff: { baseMs: 1_500, maxMs: 300_000, resetMs: 600_000 },
  quota: { containerGroups: mostPods, standardCores: mostPods },
  resourceRequests: { per5Minutes: createsPerHour / 3, perHour: createsPerHour },
  journalSize: 100_000,
};

const emulatorSchema = z.object({
  ready: z.literal(true),
  armUrl: z.string(),
  identityUrl: z.string(),
  adminUrl: z.string(),
});
type EmulatorReady = z.infer<typeof emulatorSchema>;

export interface Worker {
  readonly name: string;
  readonly pid: number;
}

/** A cloud and the gate in it. */
export class GatedCloud {
  readonly dir: string;
  readonly gate: Gate;
  readonly core: CoreV1Api;
  readonly kubeConfig = new KubeConfig();
  readonly #cloud: Cloud;
  readonly #emulator: Child<EmulatorReady>;
  readonly #connectionString: string;

  constructor(parts: {
    dir: string;
    gate: Gate;
    cloud: Cloud;
    emulator: Child<EmulatorReady>;
    connectionString: string;
  }) {
    this.dir = parts.dir;
    this.gate = parts.gate;
    this.#cloud = parts.cloud;
    this.#emulator = parts.emulator;
    this.#connectionString = parts.connectionString;
    this.kubeConfig.loadFromFile(parts.cloud.kubeconfig);
    this.core = this.kubeConfig.makeApiClient(CoreV1Api);
  }

  /** The container groups that ARM holds, seen from inside. */
  async groups() {
    return z.object({ groups: z.array(groupSchema) }).parse(await this.#ask('groups')).groups;
  }

  /** Every start of a container: the truth about what ran. */
  async runs() {
    return z.object({ runs: z.array(runSchema) }).parse(await this.#ask('runs')).runs;
  }

  /** Every request that reached ARM. */
  async journal() {
    return z.object({ requests: z.array(journalSchema) }).parse(await this.#ask('journal')).requests;
  }

  /** Every row of the app, under its partition and row key. */
  async rows(): Promise<ReadonlyMap<string, Row>> {
    const options = { allowInsecureConnection: true };
    const service = TableServiceClient.fromConnectionString(this.#connectionString, options);
    const rows = new Map<string, Row>();
    for await (const { name } of service.listTables()) {
      const table = TableClient.fromConnectionString(this.#connectionString, name ?? '', options);
      for await (const entity of table.listEntities()) {
        const row = unpackEntity(entity);
        if (row !== undefined) rows.set(`${entity.partitionKey}/${row.rowKey}`, row);
      }
    }
    return rows;
  }

  async #ask(path: string): Promise<unknown> {
    const answer = await fetch(`${this.#emulator.value.adminUrl}/_emulator/${path}`);
    if (!answer.ok) throw new Error(`emulator ${path}: ${answer.status}`);
    return answer.json();
  }

  async stop(): Promise<void> {
    await this.#cloud.stop();
    await this.gate.close();
    await this.#emulator.stop(10_000);
    if (process.env['KEEP_CLOUD'] === undefined) rmSync(this.dir, { recursive: true, force: true });
    else console.log(`logs are kept in ${this.dir}`);
  }
}

const groupSchema = z.looseObject({ name: z.string(), tags: z.record(z.string(), z.string()) });
const runSchema = z.looseObject({
  group: z.string(),
  container: z.string(),
  uid: z.string().optional(),
  startedAt: z.string(),
  exitCode: z.number().optional(),
});
const journalSchema = z.looseObject({
  time: z.string(),
  method: z.string(),
  path: z.string(),
  status: z.number(),
  injected: z.boolean(),
});
const workersSchema = z.array(z.object({ name: z.string(), pid: z.number().optional() }));

export type Run = z.infer<typeof runSchema>;
export type ArmRequest = z.infer<typeof journalSchema>;

/** Starts it; the node is Ready, the tables are old enough for PUTs, and every call of the app passes the gate. */
export async function startGatedCloud(): Promise<GatedCloud> {
  const dir = await mkdtemp(join(tmpdir(), 'serverless-kubelet-crash-'));
  const authority = await createCertificateAuthority('serverless-kubelet crash test');
  const tls = await issueCertificate(authority, {
    commonName: 'outside.local',
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
    usages: ['server'],
  });
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text, { mode: 0o600 });
    return join(dir, name);
  };
  const armPort = await allocatePort();
  const identityHeader = randomBytes(24).toString('hex');
  const emulator = await startChild({
    name: 'aci',
    command: process.execPath,
    args: [
      join(import.meta.dirname, '../../../infra/local/aci/main.ts'),
      `--state=${join(dir, 'aci')}`,
      '--runtime=scripted',
      `--subscription=${subscription}`,
      `--resource-group=${resourceGroup}`,
      `--cert=${file('outside.crt', tls.certPem)}`,
      `--key=${file('outside.key', tls.keyPem)}`,
      '--knobs',
      file('aci-knobs.json', JSON.stringify({ ...knobs, extraAudiences: [`https://127.0.0.1:${armPort}`] })),
    ],
    env: { ...process.env, IDENTITY_HEADER: identityHeader },
    logFile: join(dir, 'logs', 'aci.log'),
    pidDir: join(dir, 'run-aci'),
    stdin: 'pipe',
    ready: (line) => (line.startsWith('{"ready"') ? emulatorSchema.parse(JSON.parse(line)) : undefined),
    readyTimeoutMs: 60_000,
  });
  let gate: Gate | undefined;
  let adminUrl = '';
  let connectionString = '';
  const detour = async (settings: Record<string, string>): Promise<Record<string, string>> => {
    const registrations = clustersSchema.parse(JSON.parse(settings['CLUSTERS'] ?? ''));
    const [registration] = registrations;
    connectionString = settings['AzureWebJobsStorage'] ?? '';
    const tablesUrl = /TableEndpoint=(http:\/\/[^/]+)/.exec(connectionString)?.[1];
    if (registration === undefined || tablesUrl === undefined) throw new Error('settings of another shape');
    const { server, certificateAuthority: caPem } = registration;
    await ageTables(connectionString, settings['INSTALLATION'] ?? '', registration);
    gate = await startGate({
      doors: {
        kubernetes: { upstream: { url: server, caPem }, tls },
        arm: { upstream: { url: emulator.value.armUrl, caPem: authority.certPem }, tls, port: armPort },
        tables: { upstream: { url: tablesUrl } },
      },
      workers: async () => (await listWorkers(adminUrl)).map(({ pid }) => pid),
    });
    const { ARM_CREDENTIAL: _signedIn, ...rest } = settings;
    return {
      ...rest,
      ARM_ENDPOINT: gate.url('arm'),
      ARM_CERTIFICATE_AUTHORITY_FILE: file('outside-ca.crt', authority.certPem),
      IDENTITY_ENDPOINT: emulator.value.identityUrl,
      IDENTITY_HEADER: identityHeader,
      AzureWebJobsStorage: connectionString.replace(tablesUrl, gate.url('tables')),
      CLUSTERS: JSON.stringify([
        {
          ...registration,
          server: gate.url('kubernetes'),
          certificateAuthority: authority.certPem,
          nodes: registration.nodes.map((node) => ({
            ...node,
            cpu: String(mostPods),
            memory: `${mostPods}Gi`,
            pods: mostPods,
          })),
        },
      ]),
    };
  };
  try {
    const cloud = await startCloud(
      parseUpOptions(
        ['--dir', dir, '--no-examples', '--creates-per-hour', String(createsPerHour), '--arm', emulator.value.armUrl],
        {},
      ),
      createProgress(),
      detour,
    );
    if (gate === undefined) throw new Error('the cloud started without its detour');
    const record = z
      .object({ hostAdminUrl: z.string() })
      .parse(JSON.parse(readFileSync(join(dir, 'cloud.json'), 'utf8')));
    adminUrl = record.hostAdminUrl;
    return new GatedCloud({ dir, gate, cloud, emulator, connectionString });
  } catch (error) {
    await gate?.close();
    await emulator.stop(1000);
    throw error;
  }
}

/**
 * Tables as an hour-old installation has them: in the first minute of new ones no group is made, which is a story of
 * its own.
 */
async function ageTables(
  connectionString: string,
  installation: string,
  { uid, nodes }: z.infer<typeof clustersSchema>[number],
): Promise<void> {
  const anHourAgo = Date.now() - 3_600_000;
  const table = TableClient.fromConnectionString(connectionString, tableName(installation), {
    allowInsecureConnection: true,
  });
  await table.createTable();
  for (const { name } of nodes)
    await table.createEntity({
      partitionKey: nodePartition({ cluster: uid, node: name }),
      rowKey: birthKey(anHourAgo),
      body: '',
    });
  const store = createTableStore({ connectionString }, { installation, log: { info: ignore, warn: ignore } });
  for (const bucket of ['reads', 'logs', 'writes', 'deletes', 'create-requests', 'delete-requests']) {
    const made = await store.upsertBucket(bucket, emptyBucket(anHourAgo), undefined);
    if (!made.ok) throw new Error(made.fault.message);
  }
}

const ignore = (): void => undefined;

const clustersSchema = z.array(
  z.looseObject({
    uid: z.string(),
    server: z.string(),
    certificateAuthority: z.string(),
    nodes: z.array(z.looseObject({ name: z.string() })),
  }),
);

async function listWorkers(adminUrl: string): Promise<Worker[]> {
  const answer = await fetch(`${adminUrl}/workers`);
  return workersSchema
    .parse(await answer.json())
    .flatMap(({ name, pid }) => (pid === undefined ? [] : [{ name, pid }]));
}
