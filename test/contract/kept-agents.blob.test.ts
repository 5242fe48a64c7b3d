import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startFunctionsHost } from '../../infra/local/host/supervisor.ts';
import { azuriteAccount, blobSas } from '../../infra/local/storage-sas.ts';
import { buildInto } from '../../infra/package/build.ts';
import { createKeptAgentBlobs } from '../../shared/adapters/packaged-agent/kept-agent-blobs.ts';
import type { KeptAgents } from '../../shared/ports/packaged-agent.ts';
import type { BlobStorage } from '../../shared/wire/storage-settings.ts';

const endpoint = inject('blobEndpoint');
const { name: account, key } = azuriteAccount;
const byKey: BlobStorage = { kind: 'key', endpoint, account, key };
const sas = blobSas({ resourceTypes: 'co', permissions: 'rwdc', expiresAt: new Date(Date.now() + 3_600_000) });
const credential = {
  getToken: () => Promise.resolve({ token: 'planted-token', expiresOnTimestamp: Date.now() + 3_600_000 }),
};
const newInstallation = (): string => `i-${randomUUID().slice(0, 8)}`;
const open = (storage: BlobStorage | undefined, installation: string): KeptAgents =>
  createKeptAgentBlobs({ storage, installation, credential });
const signal = AbortSignal.timeout(60_000);

const packed = (content: string) => {
  // No text: it must come back to the byte.
  const bytes = Buffer.concat([Buffer.from(content), Buffer.from([0, 0xff, 0xfe, 0x0a, 0x80])]);
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex'), gzip: gzipSync(bytes) };
};

describe.each<[string, BlobStorage]>([
  ['the key of the account', byKey],
  ['a SAS', { kind: 'sas', endpoint, sas }],
])('agents of former releases, in blobs by %s (Azurite)', (_, storage) => {
  it('are none at first, then those that were put, for every process of the installation', async () => {
    const installation = newInstallation();
    const [one, other] = [open(storage, installation), open(byKey, installation)];
    const program = packed('a program');
    expect(await one.get(program.sha256, signal)).toEqual({ ok: true, value: undefined });
    for (let each = 0; each < 2; each += 1)
      expect(await one.put(program, signal)).toEqual({ ok: true, value: undefined });
    const kept = await other.get(program.sha256, signal);
    expect(kept.ok && kept.value?.gzip).toEqual(program.gzip);
    expect(kept.ok && (await kept.value?.unpacked())).toEqual(program.bytes);
    expect(await open(storage, newInstallation()).get(program.sha256, signal)).toEqual({ ok: true, value: undefined });
  });

  it('are never replaced', async () => {
    const agents = open(storage, newInstallation());
    const program = packed('the first');
    await agents.put(program, signal);
    await agents.put({ ...program, gzip: gzipSync('another') }, signal);
    const kept = await agents.get(program.sha256, signal);
    expect(kept.ok && (await kept.value?.unpacked())).toEqual(program.bytes);
  });
});

describe('a kept agent', () => {
  it.each([
    ['is another program', gzipSync('another')],
    ['is no gzip', Buffer.from('x')],
    ['unpacks to more than a process can bear', gzipSync(Buffer.alloc(20_000_000))],
  ])('that %s is as if there was none', async (_, gzip) => {
    const agents = open(byKey, newInstallation());
    const { sha256 } = packed('mine');
    expect(await agents.put({ sha256, gzip }, signal)).toMatchObject({ ok: true });
    expect(await agents.get(sha256, signal)).toEqual({ ok: true, value: undefined });
  });

  it('has no place where the settings name no Blob storage', async () => {
    const none = open(undefined, 'i');
    for (const result of [await none.put(packed('x'), signal), await none.get('x', signal)])
      expect(result).toMatchObject({ ok: false, fault: { kind: 'rejected', code: 'NoBlobStorage' } });
  });

  it('is refused with a wrong key', async () => {
    const wrong = open({ ...byKey, key: 'cGxhbnRlZA==' }, newInstallation());
    for (const result of [await wrong.put(packed('x'), signal), await wrong.get('x', signal)])
      expect(result).toMatchObject({ ok: false, fault: { kind: 'denied' } });
  });
});

describe('the packaged app after an upgrade', () => {
  const repository = join(import.meta.dirname, '..', '..');
  let root = '';
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'kept-agents-'));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  /** What a release of the app, with this agent, answers for these hashes. */
  async function answers(release: string, agent: Buffer, hashes: readonly string[], installation: string) {
    await buildInto(join(root, release), repository, agent);
    const settingsFile = join(root, `${release}.json`);
    const Values = {
      FUNCTIONS_WORKER_RUNTIME: 'node',
      INSTALLATION: installation,
      AZURE_SUBSCRIPTION_ID: '00000000-0000-4000-8000-000000000000',
      AZURE_RESOURCE_GROUP: 'pods',
      AZURE_LOCATION: 'westeurope',
      AzureWebJobsStorage: `${inject('tableConnectionString')}BlobEndpoint=${endpoint};`,
      CLUSTERS: '[]',
      'AzureWebJobs.node-heartbeat.Disabled': 'true',
      'AzureWebJobs.pod-sweep.Disabled': 'true',
    };
    writeFileSync(settingsFile, JSON.stringify({ Values }));
    const place = { appRoot: join(root, release, 'app'), settingsFile, logDir: join(root, 'logs') };
    const host = await startFunctionsHost({ ...place, port: 0, adminPort: 0, startUpDelayMs: 10 });
    try {
      const statuses: (number | Buffer)[] = [];
      for (const hash of hashes) {
        const answer = await fetch(`${host.url}/api/agent/${hash}`);
        const body = Buffer.from(await answer.arrayBuffer());
        statuses.push(answer.status === 200 ? body : answer.status);
      }
      return statuses;
    } finally {
      await host.stop();
    }
  }

  it(
    'still hands out what the release before handed out, and nothing that none did',
    { timeout: 120_000 },
    async () => {
      const installation = newInstallation();
      const [first, second] = [packed('of the first release'), packed('of the second')];
      const never = '0'.repeat(64);
      expect(await answers('one', first.bytes, [first.sha256, second.sha256], installation)).toEqual([
        first.bytes,
        404,
      ]);
      expect(await answers('two', second.bytes, [first.sha256, second.sha256, never], installation)).toEqual([
        first.bytes,
        second.bytes,
        404,
      ]);
    },
  );
});
