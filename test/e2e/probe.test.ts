/** `probe` over the emulator with real containers: what its script measures in a real busybox, and what the command makes of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
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
import type { InsideKnobs } from '../../infra/local/aci/runtime/engine/inside.ts';
import { createEngineRuntime } from '../../infra/local/aci/runtime/engine.ts';
import type { EngineRuntime } from '../../infra/local/aci/runtime/engine.ts';
import { createCertificateAuthority, issueCertificate } from '../../infra/local/pki.ts';
import { createArmContainerGroups } from '../../shared/adapters/arm/container-groups.ts';
import { createFreshTokens } from '../../shared/adapters/arm/fresh-tokens.ts';
import { requestIdentityToken } from '../../shared/adapters/arm/identity-endpoint.ts';
import type { AssumptionId, Finding } from '../../shared/core/agent/assumptions.ts';
import { ok } from '../../shared/core/fault.ts';
import type { Pod } from '../../shared/core/kubernetes/pod.ts';
import { placeholderReferences } from '../../shared/core/pod/placeholders.ts';
import { translatePod } from '../../shared/core/pod/translate.ts';
import type { ContainerGroups } from '../../shared/ports/container-groups.ts';
import { formatProbeRecords, parseProbeRecords } from '../../shared/wire/probe-record.ts';
import { agent, facts, podOf, rawContainer } from '../core/pod/fixtures.ts';
import { nothingKnown } from '../fixtures/known.ts';

const subscriptionId = '11111111-1111-4111-8111-111111111111';
const dir = mkdtempSync(join(tmpdir(), 'probe-'));

/** An emulator of its own, whose containers have these knobs turned, and an app that they reach. */
class Place {
  readonly groups: ContainerGroups;
  readonly wants: ProbeWants;
  readonly #close: () => Promise<void>;

  private constructor(parts: Pick<Place, 'groups' | 'wants'>, close: () => Promise<void>) {
    this.groups = parts.groups;
    this.wants = parts.wants;
    this.#close = close;
  }

  static async open(name: string, inside: Partial<InsideKnobs> = {}): Promise<Place> {
    const stateDir = join(dir, name);
    const runtime = await createEngineRuntime({ stateDir, engine: 'podman', log: () => undefined, inside });
    const { emulator, groups } = await openArm(runtime);
    const app = createServer((_, response) => response.writeHead(404).end());
    await new Promise<void>((resolve) => app.listen(0, runtime.bridge.gateway, resolve));
    const { port } = app.address() as AddressInfo;
    const wants = {
      installation: 'sk',
      location: 'westeurope',
      subnetId: undefined,
      image: 'busybox:1.36',
      appUrl: `http://${runtime.bridge.gateway}:${port}/api/agent/0`,
      name: 'localhost',
    };
    return new Place({ groups, wants }, async () => {
      app.close();
      await emulator.close();
      await runtime.close();
    });
  }

  close(): Promise<void> {
    return this.#close();
  }

  async probe(more: Partial<ProbeRun> = {}, change: Partial<ProbeWants> = {}) {
    const said: string[] = [];
    const progress = {
      line: (text: string) => void said.push(text),
      step: async <T>(name: string, work: (report: (detail: string) => void) => Promise<T>) =>
        work((detail) => said.push(`${name}: ${detail}`)),
    };
    const out = { progress, warn: (text: string) => void said.push(`warning: ${text}`) };
    const run = {
      groups: this.groups,
      out,
      signal: AbortSignal.timeout(240_000),
      timeoutMs: 120_000,
      pollMs: 500,
      ...more,
    };
    return { outcome: await runProbe({ ...this.wants, ...change }, run), said };
  }

  async isGone(): Promise<boolean> {
    const seen = await this.groups.get(probeGroupName('sk'), AbortSignal.timeout(10_000));
    return !seen.ok && seen.fault.kind === 'not-found';
  }
}

async function openArm(runtime: EngineRuntime): Promise<{ emulator: RunningEmulator; groups: ContainerGroups }> {
  const authority = await createCertificateAuthority('probe');
  const names = { ipAddresses: ['127.0.0.1'], dnsNames: ['localhost'] };
  const { certPem: cert, keyPem: key } = await issueCertificate(authority, {
    commonName: '127.0.0.1',
    ...names,
    usages: ['server'],
  });
  const emulator = await startEmulator({
    runtime,
    clock: createRealClock(),
    subscriptionId,
    resourceGroups: ['rg'],
    locations: ['westeurope'],
    tls: { cert, key },
    knobs: { jitter: 0, timingsScale: 0.1, stopGraceSeconds: 5 },
  });
  // Another emulator's token is in the cache of the process.
  const endpoint = { url: emulator.identityUrl, header: emulator.identityHeader };
  const getToken = (scopes: string | string[]) => requestIdentityToken(endpoint, [scopes].flat()[0] ?? '', undefined);
  const groups = createArmContainerGroups({
    subscriptionId,
    resourceGroup: 'rg',
    location: 'westeurope',
    endpoint: emulator.armUrl,
    credential: createFreshTokens({ getToken, renewToken: getToken, now: Date.now }),
    budgets: { take: () => Promise.resolve(ok(undefined)), report: () => Promise.resolve() },
    log: { info: () => undefined, warn: () => undefined },
    certificateAuthorityPem: authority.certPem,
  });
  return { emulator, groups };
}

beforeAll(async () => {
  await ensureImages({ log: () => undefined });
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

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

const outcomes = (findings: readonly Finding[]) => Object.fromEntries(findings.map(({ id, outcome }) => [id, outcome]));

describe('a probe over real containers', () => {
  let place: Place;
  beforeAll(async () => void (place = await Place.open('aci')));
  afterAll(() => place?.close());

  it('says all that it has to say, measures what these containers are, and leaves no group', async () => {
    const { outcome, said } = await place.probe();
    expect(outcome).toMatchObject({ kind: 'ran', isWhole: true, seen: { restarts: 1, isStopped: true } });
    const findings = outcome.kind === 'ran' ? judgeProbe(outcome.seen) : [];
    expect(outcomes(findings)).toEqual(inThese);
    expect(said.filter((line) => line.startsWith('warning'))).toEqual([]);
    expect(await place.isGone()).toBe(true);
  });

  it('is deleted when the command is interrupted, and what was left is taken away by the next', async () => {
    const interrupted = new AbortController();
    const progress = place.probe({ signal: interrupted.signal });
    await until(async () => !(await place.isGone()));
    interrupted.abort();
    await expect(progress).rejects.toThrow(/abort/i);
    expect(await place.isGone()).toBe(true);
    await place.groups.createOrUpdate(probeGroupName('sk'), probeGroup(place.wants), AbortSignal.timeout(10_000));
    const { outcome } = await place.probe({}, { image: 'registry.invalid/none:1' });
    expect(outcome).toMatchObject({
      kind: 'refused',
      why: expect.stringMatching(/InaccessibleImage|RegistryErrorResponse/),
    });
    expect(await place.isGone()).toBe(true);
  });

  it('says how far it was where it said nothing in its time', async () => {
    const { outcome } = await place.probe({ timeoutMs: 0 });
    expect(outcome).toMatchObject({ kind: 'stuck', why: expect.stringMatching(/Pending|Creating|Succeeded/) });
    expect(await place.isGone()).toBe(true);
  });
});

/** What is otherwise where every knob of the runtime is turned. */
const turned: Partial<typeof inThese> = {
  'emptydir-runs': 'fails',
  'emptydir-any-user': 'fails',
  'hosts-shared': 'fails',
  'hosts-restart': 'fails',
  'secret-modes': 'fails',
  capabilities: 'fails',
  'network-shared': 'fails',
};

describe('a probe over containers in which little is as it is taken to be', () => {
  const knobs: InsideKnobs = {
    volumesRun: false,
    emptyDirForAll: false,
    hostsShared: false,
    networkShared: false,
    rootMayChange: false,
  };
  let place: Place;
  beforeAll(async () => void (place = await Place.open('turned', knobs)));
  afterAll(() => place?.close());

  it('finds each to fail, and the app refuses by these names what a pod needs of them', async () => {
    const { outcome } = await place.probe();
    const findings = outcome.kind === 'ran' ? judgeProbe(outcome.seen) : [];
    expect(outcomes(findings)).toEqual({ ...inThese, ...turned });
    const failing = findings.filter((one) => one.outcome === 'fails').map(({ id }) => id);
    const kept = parseProbeRecords(
      formatProbeRecords([{ region: 'westeurope', subnet: null, sku: 'Standard', at: 'now', findings }]),
    );
    const refusedFor = (ids: readonly AssumptionId[], pod: Pod): string | undefined => {
      const probes =
        kept?.map((one) => ({ ...one, findings: one.findings.filter(({ id }) => ids.includes(id)) })) ?? [];
      const node = { ...facts, agent, probes };
      const translation = translatePod(pod, node, placeholderReferences(pod, node, nothingKnown));
      return translation.kind === 'refused' ? translation.message : undefined;
    };
    const pods: readonly (readonly [AssumptionId, Pod])[] = [
      ['emptydir-runs', podOf({ hostAliases })],
      ['hosts-shared', podOf({ hostAliases })],
      ['hosts-restart', podOf({ hostAliases })],
      ['capabilities', podOf({ securityContext: { supplementalGroups: [7] } })],
      ['network-shared', probing],
    ];
    for (const [id, pod] of pods) {
      expect(failing).toContain(id);
      expect(refusedFor([id], pod)).toMatch(new RegExp(`^spec\\..*: .*probe found that .* here \\(${id}\\)`));
      expect(refusedFor([], pod)).toBeUndefined();
    }
  });
});

const hostAliases = [{ ip: '10.1.2.3', hostnames: ['db'] }];
const port = (containerPort: number) => [{ containerPort, protocol: 'TCP' }];
const probing = podOf({
  containers: [
    rawContainer({ ports: port(80), livenessProbe: { tcpSocket: { port: 81 } } }),
    rawContainer({ name: 'other', ports: port(81) }),
  ],
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let each = 0; each < 200; each += 1) {
    if (await holds()) return;
    await sleep(50);
  }
  throw new Error('not so in ten seconds');
}
