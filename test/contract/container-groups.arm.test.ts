import { VirtualClock } from '../../infra/local/aci/clock.ts';
import type { TokenCredential } from '@azure/core-auth';
import { afterAll, describe, expect, it } from 'vitest';
import { startEmulator } from '../../infra/local/aci/emulator.ts';
import type { RunningEmulator } from '../../infra/local/aci/emulator.ts';
import { matchRoute } from '../../infra/local/aci/routes.ts';
import { ScriptedRuntime } from '../../infra/local/aci/runtime/scripted.ts';
import { createCertificateAuthority, issueCertificate } from '../../infra/local/pki.ts';
import { createArmContainerGroups } from '../../shared/adapters/arm/container-groups.ts';
import { createCredential } from '../../shared/adapters/arm/credential.ts';
import { ok } from '../../shared/core/fault.ts';
import { createBudgets } from '../../shared/adapters/budgets/budgets.ts';
import { createMemoryStore } from '../../infra/local/sim/memory-store.ts';
import { defaultArmLimits } from '../../shared/core/budget/plan.ts';
import type { Budgets, Spend } from '../../shared/ports/budgets.ts';
import { describeContainerGroups, groupBody, suiteImages } from './container-groups.suite.ts';

const subscriptionId = '11111111-1111-4111-8111-111111111111';
const authority = await createCertificateAuthority('contract test');
const server = await issueCertificate(authority, {
  commonName: '127.0.0.1',
  ipAddresses: ['127.0.0.1'],
  dnsNames: ['localhost'],
  usages: ['server'],
});
const log = (lines: readonly string[]) => lines.map((line, index) => ({ atMs: index, line }));
const silent = { info: () => undefined, warn: () => undefined };

async function start(pageSize: number) {
  const clock = new VirtualClock(Date.now());
  const images = {
    [suiteImages.server]: { runs: [{}] },
    [suiteImages.done]: { runs: [{ runMs: 5000, exitCode: 0, logs: log(['one', 'two', 'three']) }] },
    [suiteImages.fails]: { runs: [{ runMs: 5000, exitCode: 3 }] },
    [suiteImages.failsOnce]: { runs: [{ runMs: 2000, exitCode: 3 }, {}] },
    [suiteImages.prepares]: { runs: [{ runMs: 10_000 }] },
  };
  const emulator = await startEmulator({
    runtime: new ScriptedRuntime({ clock, images }),
    subscriptionId,
    resourceGroups: ['rg'],
    locations: ['westeurope'],
    clock,
    knobs: { jitter: 0, pageSize },
    tls: { cert: server.certPem, key: server.keyPem },
  });
  return { emulator, clock };
}

function openGroups(emulator: RunningEmulator, credential: TokenCredential, real?: Budgets) {
  const spent: Spend[] = [];
  const take = async (spend: Spend) => {
    spent.push(spend);
    return ok(undefined);
  };
  const groups = createArmContainerGroups({
    subscriptionId,
    resourceGroup: 'rg',
    location: 'westeurope',
    endpoint: emulator.armUrl,
    credential,
    budgets: real ?? { take, report: async () => undefined },
    log: silent,
    certificateAuthorityPem: authority.certPem,
  });
  return { groups, spent };
}

// One for all: the SDK remembers a process's identity endpoint and tokens for ever.
const { emulator, clock } = await start(100);
process.env['IDENTITY_ENDPOINT'] = emulator.identityUrl;
process.env['IDENTITY_HEADER'] = emulator.identityHeader;
afterAll(() => emulator.close());

const execPath = `/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerInstance/containerGroups/g/containers/c/exec`;

describeContainerGroups(
  'ARM (emulator)',
  async () => ({
    groups: openGroups(emulator, createCredential({ kind: 'managed-identity' })).groups,
    advance: (ms) => clock.advance(ms),
    close: () => emulator.core.reset(),
  }),
  { hasStreams: matchRoute('POST', execPath) !== undefined },
);

describe('container groups at ARM (emulator)', () => {
  const { signal } = new AbortController();
  it('sends one request a call, one a page, and pays for each', async () => {
    const paged = await start(2);
    const [principal] = paged.emulator.core.state.principals;
    if (principal === undefined) throw new Error('the emulator has a principal');
    const { token } = paged.emulator.core.state.tokens.issue(principal, paged.emulator.armUrl);
    const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) };
    const { groups, spent } = openGroups(paged.emulator, credential);
    for (const name of ['a', 'b', 'c']) await groups.createOrUpdate(name, groupBody(suiteImages.server), signal);
    await paged.clock.advance(30_000);
    const listed = await groups.list(signal);
    await groups.stop('a', signal);
    await groups.delete('a', signal);
    expect(listed.ok ? listed.value.map((group) => group.name) : listed.fault).toEqual(['a', 'b', 'c']);
    const creates = ['write-create', 'write-create', 'write-create'];
    expect(spent).toEqual([...creates, 'read-poll', 'read-poll', 'write-end', 'delete']);
    const requests = paged.emulator.core.state.journal.requests.all();
    expect(requests.map(({ method }) => method)).toEqual(['PUT', 'PUT', 'PUT', 'GET', 'GET', 'POST', 'DELETE']);
    await paged.emulator.close();
  });

  it('goes from an empty budget to a burst of 60 once the first PUT has shown what remains, without a 429', async () => {
    const store = createMemoryStore({ now: () => clock.now() });
    const options = { chunk: 10, log: silent, monotonicMs: () => clock.now() };
    const budgets = createBudgets(store, defaultArmLimits, options);
    const { groups } = openGroups(emulator, createCredential({ kind: 'managed-identity' }), budgets);
    const create = (name: string) => groups.createOrUpdate(name, groupBody(suiteImages.server), signal);
    await create('too-early');
    await clock.advance(10_000);
    expect((await create('first')).ok).toBe(true);
    await clock.advance(20_000);
    const burst = await Promise.all(Array.from({ length: 60 }, (_, index) => create(`burst-${index}`)));
    expect(burst.filter((result) => result.ok)).toHaveLength(60);
    const requests = emulator.core.state.journal.requests.all();
    expect(requests.filter(({ status }) => status === 429)).toEqual([]);
    await emulator.core.reset();
  });
});
