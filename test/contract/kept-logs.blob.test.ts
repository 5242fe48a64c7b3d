import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, inject, it } from 'vitest';
import { azuriteAccount, blobSas } from '../../infra/local/storage-sas.ts';
import { createKeptLogBlobs } from '../../shared/adapters/kept-logs/kept-log-blobs.ts';
import type { KeptLogs } from '../../shared/ports/kept-logs.ts';
import type { BlobStorage } from '../../shared/wire/storage-settings.ts';
import { describeKeptLogs } from './kept-logs.suite.ts';

const endpoint = inject('blobEndpoint');
const { name: account, key } = azuriteAccount;
const byKey: BlobStorage = { kind: 'key', endpoint, account, key };
const sas = blobSas({ resourceTypes: 'co', permissions: 'rwdc', expiresAt: new Date(Date.now() + 3_600_000) });
const bySas: BlobStorage = { kind: 'sas', endpoint, sas };
const credential = {
  getToken: () => Promise.resolve({ token: 'planted-token', expiresOnTimestamp: Date.now() + 3_600_000 }),
};
const open = (storage: BlobStorage | undefined, installation: string): KeptLogs =>
  createKeptLogBlobs({ storage, installation, credential });
const newInstallation = (): string => `i-${randomUUID().slice(0, 8)}`;

describeKeptLogs('blobs, by the key of the account (Azurite)', async () => {
  const installation = newInstallation();
  return { logs: open(byKey, installation), other: open(byKey, installation) };
});

describeKeptLogs('blobs, by a SAS (Azurite)', async () => {
  const installation = newInstallation();
  return { logs: open(bySas, installation), other: open(byKey, installation) };
});

const signal = AbortSignal.timeout(60_000);
const pod = { node: { cluster: 'c', node: 'aci-1' }, group: 'g' };
const log = { container: 'main', text: 'a line of a log\n' };

describe('blobs of kept logs', () => {
  it('are of one installation', async () => {
    const [mine, theirs] = [open(byKey, newInstallation()), open(byKey, newInstallation())];
    expect(await mine.put(pod, [log], signal)).toMatchObject({ ok: true });
    expect(await theirs.get(pod, signal)).toEqual({ ok: true, value: undefined });
  });

  it('are refused where the settings name no Blob storage', async () => {
    const none = open(undefined, 'i');
    for (const result of [
      await none.put(pod, [log], signal),
      await none.get(pod, signal),
      await none.delete(pod, signal),
    ])
      expect(result).toMatchObject({ ok: false, fault: { kind: 'rejected', code: 'NoBlobStorage' } });
  });

  it('are refused with a wrong key, which is not reported, nor is the log', async () => {
    const wrong = open({ ...byKey, key: 'cGxhbnRlZA==' }, newInstallation());
    for (const result of [await wrong.put(pod, [log], signal), await wrong.get(pod, signal)]) {
      expect(result).toMatchObject({ ok: false, fault: { kind: 'denied' } });
      expect(JSON.stringify(result)).not.toMatch(/cGxhbnRlZA|a line of a log|SharedKey/);
    }
  });

  it('are transient faults when nobody listens, without the SAS', async () => {
    const deaf = open({ kind: 'sas', endpoint: 'http://127.0.0.1:1/a', sas: 'sig=planted' }, 'i');
    const result = await deaf.put(pod, [log], signal);
    expect(result).toMatchObject({ ok: false, fault: { kind: 'transient' } });
    expect(JSON.stringify(result)).not.toContain('planted');
  });

  it('that are none of ours are as if nothing was kept', async () => {
    using server = await openServer(200, 'something else');
    expect(await open(server.storage, 'i').get(pod, signal)).toEqual({ ok: true, value: undefined });
  });

  it.each([
    [403, 'denied'],
    [429, 'throttled'],
    [500, 'transient'],
    [503, 'throttled'],
  ])('that are answered %i are %s, after one request', async (status, kind) => {
    using server = await openServer(status, '<html>');
    const result = await open(server.storage, 'i').put(pod, [log], signal);
    expect(result.ok ? 'ok' : result.fault.kind).toBe(kind);
    expect(server.seen).toHaveLength(1);
  });
});

async function openServer(status: number, body: string) {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method ?? ''} ${request.url ?? ''}`);
    request.resume().on('end', () => response.writeHead(status).end(body));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve());
  });
  const { port } = server.address() as AddressInfo;
  const storage: BlobStorage = { kind: 'key', endpoint: `http://127.0.0.1:${port}`, account: 'a', key: 'a2V5' };
  return { seen, storage, [Symbol.dispose]: () => void server.close() };
}
