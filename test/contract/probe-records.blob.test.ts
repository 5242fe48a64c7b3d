import { randomUUID } from 'node:crypto';
import { describe, expect, inject, it } from 'vitest';
import { blobSas, createContainer } from '../../infra/local/storage-sas.ts';
import { createProbeBlob, probeUrl } from '../../shared/adapters/registrations/probe-blob.ts';
import { createRegistrationBlob } from '../../shared/adapters/registrations/registration-blob.ts';
import { systemClock } from '../../shared/adapters/system-clock.ts';
import { createKnownProbes } from '../../shared/app/known-probes.ts';
import { failedAt } from '../../shared/core/agent/findings/probed-place.ts';
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

  const write = async (url: string, body: string): Promise<void> => {
    const headers = { 'x-ms-version': '2021-12-02', 'x-ms-blob-type': 'BlockBlob' };
    const answer = await fetch(probeUrl(url), { method: 'PUT', headers, body });
    expect(answer.status).toBe(201);
  };
  const failing = { ...record, findings: [{ id: 'hosts-shared', outcome: 'fails', detail: 'gone' }] };
  const documentOf = (more: object = {}, probe: object = failing): string =>
    JSON.stringify({ schemaVersion: 1, probes: [probe], ...more });
  const long = 'x'.repeat(1024 * 1024);

  it.each<[string, string, 'read' | 'nothing']>([
    [
      'what a later version has besides, members, assumptions and outcomes',
      documentOf(
        { more: { of: 'it' } },
        {
          ...failing,
          zone: '1',
          findings: [
            { id: 'of-another-year', outcome: 'fails', detail: '' },
            { id: 'init-once', outcome: 'doubtful', detail: '' },
            ...failing.findings.map((one) => ({ ...one, seen: 7 })),
          ],
        },
      ),
      'read',
    ],
    [
      'an earlier one, that measured less and said nothing of how',
      documentOf(
        {},
        {
          ...failing,
          findings: [{ id: 'hosts-shared', outcome: 'fails' }],
        },
      ),
      'read',
    ],
    [
      'a megabyte of what was seen',
      documentOf({}, { ...failing, findings: [{ ...failing.findings[0], detail: long }] }),
      'read',
    ],
    ['a megabyte of something else', long, 'nothing'],
    ['more than anybody writes', documentOf({ more: long.repeat(4) }), 'nothing'],
    ['garbage', '\u0000{"schemaVersion":1', 'nothing'],
    ['nothing', '', 'nothing'],
    ['a schema of later', documentOf({ schemaVersion: 2 }), 'nothing'],
    ['another shape', documentOf({}, { ...failing, findings: {} }), 'nothing'],
  ])('of %s is read by the app, or changes nothing', async (_, text, outcome) => {
    const url = await newUrl();
    await write(url, text);
    const warnings: string[] = [];
    const known = createKnownProbes({
      records: createProbeBlob({ url }),
      region: 'westeurope',
      clock: systemClock,
      log: { info: () => undefined, warn: (message) => void warnings.push(message) },
    });
    const place = { region: 'westeurope', subnet: null, sku: 'Standard' };
    const failed = failedAt(await known.read(), place);
    expect(failed).toEqual(outcome === 'read' ? new Set(['hosts-shared']) : undefined);
    expect(warnings).toHaveLength(outcome === 'read' ? 0 : 1);
    expect(warnings.join()).not.toContain('xxx');
  });

  it.each([
    ['https://a.example/c/prod.json', 'https://a.example/c/prod.probe.json'],
    ['https://a.example/c/prod', 'https://a.example/c/prod.probe.json'],
    ['https://a.example/c/prod.json?sig=x', 'https://a.example/c/prod.probe.json?sig=x'],
  ])('of %s is at %s', (registrations, probes) => expect(probeUrl(registrations)).toBe(probes));
});
