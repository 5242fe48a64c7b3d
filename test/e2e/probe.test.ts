/** `probe` over the emulator with real containers: what its script measures in a real busybox, and what the command makes of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probeGroup, probeGroupName } from '../../infra/cli/probe/group-body.ts';
import type { ProbeWants } from '../../infra/cli/probe/group-body.ts';
import { judgeProbe } from '../../infra/cli/probe/judge.ts';
import { runProbe } from '../../infra/cli/probe/run-probe.ts';
import type { ProbeRun } from '../../infra/cli/probe/run-probe.ts';
import { createRealClock } from '../../infra/local/aci/clock.ts';
import { startEmulator } from '../../infra/local/aci/emulator.ts';
import type { RunningEmulator } from '../../infra/local/aci/emulator.ts';
import { ensureImages } from '../../infra/local/aci/images.ts';
import { createEngineRuntime } from '../../infra/local/aci/runtime/engine.ts';
import type { EngineRuntime } from '../../infra/local/aci/runtime/engine.ts';
import { createCertificateAuthority, issueCertificate } from '../../infra/local/pki.ts';
import { createArmContainerGroups } from '../../shared/adapters/arm/container-groups.ts';
import { createCredential } from '../../shared/adapters/arm/credential.ts';
import type { AssumptionId, Finding } from '../../shared/core/agent/assumptions.ts';
import { ok } from '../../shared/core/fault.ts';
import type { ContainerGroups } from '../../shared/ports/container-groups.ts';

const subscriptionId = '11111111-1111-4111-8111-111111111111';
const dir = mkdtempSync(join(tmpdir(), 'probe-'));
let runtime: EngineRuntime;
let emulator: RunningEmulator;
let groups: ContainerGroups;
let app: Server;
let wants: ProbeWants;

beforeAll(async () => {
  await ensureImages({ log: () => undefined });
  runtime = await createEngineRuntime({ stateDir: join(dir, 'aci'), engine: 'podman', log: () => undefined });
  const authority = await createCertificateAuthority('probe');
  const names = { ipAddresses: ['127.0.0.1'], dnsNames: ['localhost'] };
  const { certPem: cert, keyPem: key } = await issueCertificate(authority, {
    commonName: '127.0.0.1',
    ...names,
    usages: ['server'],
  });
  emulator = await startEmulator({
    runtime,
    clock: createRealClock(),
    subscriptionId,
    resourceGroups: ['rg'],
    locations: ['westeurope'],
    tls: { cert, key },
    knobs: { jitter: 0, timingsScale: 0.1, stopGraceSeconds: 5 },
  });
  process.env['IDENTITY_ENDPOINT'] = emulator.identityUrl;
  process.env['IDENTITY_HEADER'] = emulator.identityHeader;
  groups = createArmContainerGroups({
    subscriptionId,
    resourceGroup: 'rg',
    location: 'westeurope',
    endpoint: emulator.armUrl,
    credential: createCredential({ kind: 'managed-identity' }),
    budgets: { take: () => Promise.resolve(ok(undefined)), report: () => Promise.resolve() },
    log: { info: () => undefined, warn: () => undefined },
    certificateAuthorityPem: authority.certPem,
  });
  app = createServer((_, response) => response.writeHead(404).end());
  await new Promise<void>((resolve) => app.listen(0, runtime.bridge.gateway, resolve));
  const { port } = app.address() as AddressInfo;
  wants = {
    installation: 'sk',
    location: 'westeurope',
    subnetId: undefined,
    image: 'busybox:1.36',
    appUrl: `http://${runtime.bridge.gateway}:${port}/api/agent/0`,
    name: 'localhost',
  };
});

afterAll(async () => {
  app?.close();
  await emulator?.close();
  await runtime?.close();
  rmSync(dir, { recursive: true, force: true });
});

async function probe(more: Partial<ProbeRun> = {}, change: Partial<ProbeWants> = {}) {
  const said: string[] = [];
  const progress = {
    line: (text: string) => void said.push(text),
    step: async <T>(name: string, work: (report: (detail: string) => void) => Promise<T>) =>
      work((detail) => said.push(`${name}: ${detail}`)),
  };
  const out = { progress, warn: (text: string) => void said.push(`warning: ${text}`) };
  const run = { groups, out, signal: AbortSignal.timeout(240_000), timeoutMs: 120_000, pollMs: 500, ...more };
  return { outcome: await runProbe({ ...wants, ...change }, run), said };
}

const isGone = async (): Promise<boolean> => {
  const seen = await groups.get(probeGroupName('sk'), AbortSignal.timeout(10_000));
  return !seen.ok && seen.fault.kind === 'not-found';
};

/** What is so in these containers, and in the emulator around them; the rest no probe measures. */
const inThese: Readonly<Record<AssumptionId, Finding['outcome']>> = {
  'emptydir-runs': 'holds',
  'emptydir-any-user': 'holds',
  'emptydir-restart': 'holds',
  'init-once': 'holds',
  'hosts-shared': 'holds',
  'hosts-restart': 'holds',
  'secret-modes': 'holds',
  // A folder of this machine.
  'secret-memory': 'fails',
  // Nobody resolves names without a name server.
  'init-names': 'fails',
  'init-app': 'holds',
  'main-app': 'holds',
  // Outside of a subnet a group shows none.
  'address-inside': 'unmeasured',
  capabilities: 'holds',
  'memory-events': 'holds',
  'processes-apart': 'holds',
  'network-shared': 'holds',
  // The emulator's default, which is the harder case.
  'stop-signal': 'unmeasured',
  'logs-after-stop': 'fails',
  'failed-again': 'holds',
  'exec-word': 'unmeasured',
  'exec-words': 'unmeasured',
  'secret-size': 'unmeasured',
  'liveness-restart': 'unmeasured',
};

describe('a probe over real containers', () => {
  it('says all that it has to say, measures what these containers are, and leaves no group', async () => {
    const { outcome, said } = await probe();
    expect(outcome).toMatchObject({ kind: 'ran', isWhole: true, seen: { restarts: 1, isStopped: true } });
    const findings = outcome.kind === 'ran' ? judgeProbe(outcome.seen) : [];
    expect(Object.fromEntries(findings.map(({ id, outcome }) => [id, outcome]))).toEqual(inThese);
    expect(said.filter((line) => line.startsWith('warning'))).toEqual([]);
    expect(await isGone()).toBe(true);
  });

  it('is deleted when the command is interrupted, and what was left is taken away by the next', async () => {
    const interrupted = new AbortController();
    const progress = probe({ signal: interrupted.signal });
    await until(async () => !(await isGone()));
    interrupted.abort();
    await expect(progress).rejects.toThrow(/abort/i);
    expect(await isGone()).toBe(true);
    await groups.createOrUpdate(probeGroupName('sk'), probeGroup(wants), AbortSignal.timeout(10_000));
    const { outcome } = await probe({}, { image: 'registry.invalid/none:1' });
    expect(outcome).toMatchObject({
      kind: 'refused',
      why: expect.stringMatching(/InaccessibleImage|RegistryErrorResponse/),
    });
    expect(await isGone()).toBe(true);
  });

  it('says how far it was where it said nothing in its time', async () => {
    const { outcome } = await probe({ timeoutMs: 0 });
    expect(outcome).toMatchObject({ kind: 'stuck', why: expect.stringMatching(/Pending|Creating|Succeeded/) });
    expect(await isGone()).toBe(true);
  });
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let each = 0; each < 200; each += 1) {
    if (await holds()) return;
    await sleep(50);
  }
  throw new Error('not so in ten seconds');
}
