import { randomUUID } from 'node:crypto';
import { describe, expect, inject, it } from 'vitest';
import { blobSas, createContainer } from '../../infra/local/storage-sas.ts';
import { createProbeBlob, probeUrl } from '../../shared/adapters/registrations/probe-blob.ts';
import { createRegistrationBlob } from '../../shared/adapters/registrations/registration-blob.ts';
import type { ProbeRecord } from '../../shared/wire/probe-record.ts';

const endpoint = inject('blobEndpoint');
const container = 'serverless-kubelet';
const signal = AbortSignal.timeout(60_000);
const sasOf = (permissions: string) =>
  blobSas({ resourceTypes: 'o', permissions, expiresAt: new Date(Date.now() + 3_600_000) });

async function newUrl(permissions = 'rwdc'): Promise<string> {
  await createContainer(endpoint, container);
  return `${endpoint}/${container}/${randomUUID()}.json?${sasOf(permissions)}`;
}

const record: ProbeRecord = {
  region: 'westeurope',
  subnet: null,
  sku: 'Standard',
  at: '2026-11-30T10:00:00.000Z',
  findings: [{ id: 'init-once', outcome: 'holds', detail: 'they ran once' }],
};

describe('what probes have measured, in a blob (Azurite)', () => {
  it('is nothing at first, then what was written, and is beside the registrations without touching them', async () => {
    const url = await newUrl();
    const records = createProbeBlob({ url });
    expect(await records.get(signal)).toEqual({ ok: true, value: { etag: undefined, probes: [] } });
    expect(await records.put([record], undefined, signal)).toEqual({ ok: true, value: undefined });
    expect(await records.get(signal)).toMatchObject({ ok: true, value: { probes: [record] } });
    expect(await createRegistrationBlob({ url }).get(undefined, signal)).toMatchObject({
      ok: true,
      value: { clusters: [] },
    });
  });

  it('is not written over what somebody else has written', async () => {
    const records = createProbeBlob({ url: await newUrl() });
    await records.put([], undefined, signal);
    expect(await records.put([record], undefined, signal)).toMatchObject({ ok: false, fault: { kind: 'conflict' } });
    const read = await records.get(signal);
    const etag = read.ok ? read.value.etag : undefined;
    expect(await records.put([record], etag, signal)).toMatchObject({ ok: true });
    expect(await records.put([], etag, signal)).toMatchObject({ ok: false, fault: { kind: 'conflict' } });
  });

  it('is refused where it is something else, or may not be written', async () => {
    const url = await newUrl();
    await fetch(probeUrl(url), {
      method: 'PUT',
      headers: { 'x-ms-version': '2021-12-02', 'x-ms-blob-type': 'BlockBlob' },
      body: '{"mine":1}',
    });
    expect(await createProbeBlob({ url }).get(signal)).toMatchObject({
      ok: false,
      fault: { kind: 'rejected', code: 'ProbesInvalid' },
    });
    const readOnly = createProbeBlob({ url: await newUrl('r') });
    expect(await readOnly.put([record], undefined, signal)).toMatchObject({ ok: false, fault: { kind: 'denied' } });
  });

  it.each([
    ['https://a.example/c/prod.json', 'https://a.example/c/prod.probe.json'],
    ['https://a.example/c/prod', 'https://a.example/c/prod.probe.json'],
    ['https://a.example/c/prod.json?sig=x', 'https://a.example/c/prod.probe.json?sig=x'],
  ])('of %s is at %s', (registrations, probes) => expect(probeUrl(registrations)).toBe(probes));
});
