/** The deployed roles are exactly what the app's ARM adapter needs: each action, each scope. */
import { readFileSync } from 'node:fs';
import { createHttpHeaders } from '@azure/core-rest-pipeline';
import type { HttpClient } from '@azure/core-rest-pipeline';
import { describe, expect, it } from 'vitest';
import { defaultPrincipal } from '../../../infra/local/aci/rbac.ts';
import type { Principal } from '../../../infra/local/aci/rbac.ts';
import { matchRoute } from '../../../infra/local/aci/routes.ts';
import { createArmContainerGroups } from '../../../shared/adapters/arm/container-groups.ts';
import { ok } from '../../../shared/core/fault.ts';
import type { Result } from '../../../shared/core/fault.ts';
import type { ContainerGroups } from '../../../shared/ports/container-groups.ts';
import { groupBody } from '../../fixtures/group-body.ts';
import { createBench, origin, scripted, subscription } from '../../local/aci/harness.ts';
import type { Bench } from '../../local/aci/harness.ts';

const resourceGroup = 'aci-pods-of-a-team-with-a-long-name-in-production-in-western-europe';
const scope = `/subscriptions/${subscription}`;
const subnet = `${scope}/resourceGroups/network/providers/Microsoft.Network/virtualNetworks/cluster/subnets/pods`;
const principal = defaultPrincipal({ subscription, resourceGroups: [resourceGroup], subnets: [subnet] });

const aci = 'Microsoft.ContainerInstance';
const signal = new AbortController().signal;
const container = { group: 'ready', container: 'c' };

/** Everything that the app asks of ARM, in an order in which all of it succeeds, and the actions that it takes. */
const operations: readonly {
  readonly name: string;
  readonly actions: readonly string[];
  readonly run: (groups: ContainerGroups, operationUrl: string) => Promise<Result<unknown>>;
}[] = [
  { name: 'list', actions: [`${aci}/containerGroups/read`], run: (groups) => groups.list(signal) },
  { name: 'get', actions: [`${aci}/containerGroups/read`], run: (groups) => groups.get('ready', signal) },
  {
    name: 'createOrUpdate',
    actions: [`${aci}/containerGroups/write`],
    run: (groups) => groups.createOrUpdate('new', groupBody(), signal),
  },
  {
    name: 'createOrUpdate in the subnet',
    actions: [`${aci}/containerGroups/write`, 'Microsoft.Network/virtualNetworks/subnets/join/action'],
    run: (groups) => groups.createOrUpdate('n'.repeat(63), groupBody({ subnetIds: [{ id: subnet }] }), signal),
  },
  {
    name: 'listLogs',
    actions: [`${aci}/containerGroups/containers/logs/read`],
    run: (groups) => groups.listLogs({ ...container, timestamps: false }, signal),
  },
  {
    name: 'exec',
    actions: [`${aci}/containerGroups/containers/exec/action`],
    run: (groups) => groups.exec({ ...container, command: '/bin/sh', terminalSize: { columns: 80, rows: 24 } }, signal),
  },
  {
    name: 'attach',
    actions: [`${aci}/containerGroups/containers/attach/action`],
    run: (groups) => groups.attach(container, signal),
  },
  {
    name: 'listMetrics',
    actions: ['Microsoft.Insights/metrics/read'],
    run: (groups) => groups.listMetrics('ready', { fromMs: 0, toMs: 60_000 }, signal),
  },
  {
    name: 'getOperation',
    actions: [`${aci}/locations/operations/read`],
    run: (groups, operationUrl) => groups.getOperation(operationUrl, signal),
  },
  { name: 'listUsages', actions: [`${aci}/locations/usages/read`], run: (groups) => groups.listUsages(signal) },
  { name: 'stop', actions: [`${aci}/containerGroups/stop/action`], run: (groups) => groups.stop('ready', signal) },
  { name: 'delete', actions: [`${aci}/containerGroups/delete`], run: (groups) => groups.delete('ready', signal) },
];

/** What the emulator can be asked; the actions of the others are compared, and no more. */
const played = operations.filter(
  ({ name }) =>
    (name !== 'exec' && name !== 'attach') ||
    matchRoute('POST', `${scope}/resourceGroups/rg/providers/${aci}/containerGroups/g/containers/c/${name}`) !==
      undefined,
);

const roles = ['container-groups', 'subscription-reader', 'subnet-join'].map((name) => {
  const file = new URL(`../../../infra/azure/roles/${name}.json`, import.meta.url);
  const role: { readonly actions: readonly string[] } = JSON.parse(readFileSync(file, 'utf8'));
  return { name, actions: role.actions };
});
const actions = roles.flatMap((role) => role.actions);

/** Sends the adapter's requests into the emulator without a socket. */
const inProcess = (bench: Bench): HttpClient => ({
  sendRequest: async (request) => {
    const { pathname, search } = new URL(request.url);
    const { method, body: sent } = request;
    const answer = await bench.core.arm({
      method,
      url: `${pathname}${search}`,
      headers: request.headers.toJSON(),
      body: typeof sent === 'string' ? sent : '',
      origin,
    });
    const bodyAsText = answer.body === undefined ? '' : JSON.stringify(answer.body);
    return { request, status: answer.status, headers: createHttpHeaders({ ...answer.headers }), bodyAsText };
  },
});

/** Runs every operation as the principal; why those failed that failed. */
async function faultsOf(app: Principal): Promise<ReadonlyMap<string, string>> {
  const other = { clientId: 'c', objectId: 'c', assignments: [{ actions: ['*'], scope }] };
  const bench = createBench({ principals: [other, app], resourceGroups: [resourceGroup] });
  const path = `${scope}/resourceGroups/${resourceGroup}/providers/${aci}/containerGroups/ready`;
  const long = [{ runMs: 600_000, exitCode: 0, logs: [] }];
  const made = await bench.request('PUT', path, { body: scripted('Never', long) });
  await bench.clock.advance(20_000);
  const token = bench.core.state.tokens.issue(app, origin).token;
  const groups = createArmContainerGroups({
    subscriptionId: subscription,
    resourceGroup,
    location: 'westeurope',
    endpoint: origin,
    credential: { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) },
    budgets: { take: async () => ok(undefined), report: async () => undefined },
    log: { info: () => {}, warn: () => {} },
    httpClient: inProcess(bench),
  });
  const faults = new Map<string, string>();
  for (const { name, run } of played) {
    const running = run(groups, made.headers['Azure-AsyncOperation'] ?? '');
    await bench.clock.advance(15_000);
    const result = await running;
    if (!result.ok) faults.set(name, `${result.fault.kind}: ${result.fault.message}`);
  }
  return faults;
}

const without = (action: string): Principal => ({
  ...principal,
  assignments: principal.assignments.map((one) => ({ ...one, actions: one.actions.filter((a) => a !== action) })),
});

/** The principal with one role's assignment at another scope. */
const moved = (action: string, to: string): Principal => ({
  ...principal,
  assignments: principal.assignments.map((one) => (one.actions.includes(action) ? { ...one, scope: to } : one)),
});

describe('the deployed roles', () => {
  it('let the app do all that it does', async () => {
    expect([...(await faultsOf(principal))]).toEqual([]);
  });

  it('hold the actions of the app’s operations, no fewer and no more', () => {
    expect([...actions].sort()).toEqual([...new Set(operations.flatMap((operation) => operation.actions))].sort());
  });

  it.each(actions)('without %s: what needs it is denied by name, and all else goes on', async (action) => {
    const faults = await faultsOf(without(action));
    const needing = played.filter((operation) => operation.actions.includes(action)).map(({ name }) => name);
    expect([...faults.keys()]).toEqual(needing);
    for (const fault of faults.values()) expect(fault).toMatch(/^denied: /);
    for (const fault of faults.values()) expect(fault).toContain(action);
  });

  it.each([
    ['container-groups', 'another resource group', `${scope}/resourceGroups/other`],
    ['container-groups', 'another subscription', '/subscriptions/99999999-9999-4999-8999-999999999999'],
    ['subscription-reader', 'the resource group', `${scope}/resourceGroups/${resourceGroup}`],
    ['subnet-join', 'another subnet', `${subnet}-2`],
    ['subnet-join', 'the resource group of the container groups', `${scope}/resourceGroups/${resourceGroup}`],
  ])('%s assigned on %s instead: its operations are denied by name', async (name, _, to) => {
    const own = roles.find((role) => role.name === name)?.actions ?? [];
    const faults = await faultsOf(moved(own[0] ?? '', to));
    const needing = played.filter((operation) => operation.actions.some((action) => own.includes(action)));
    expect([...faults.keys()]).toEqual(needing.map((operation) => operation.name));
    for (const [operation, fault] of faults) {
      const needed = needing.find((one) => one.name === operation)?.actions.filter((action) => own.includes(action));
      expect(fault).toMatch(/^denied: /);
      expect(needed?.some((action) => fault.includes(action))).toBe(true);
    }
  });
});
