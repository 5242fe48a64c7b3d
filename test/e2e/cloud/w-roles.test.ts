/** After all that the other files did: the app needed exactly the actions of the roles that `infra/azure` deploys. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { defaultPrincipal } from '../../../infra/local/aci/rbac.ts';
import {
  addFault,
  apply,
  clearFaults,
  createNamespace,
  kubectl,
  phase,
  pod,
  record,
  removeNamespace,
  until,
} from './cloud.ts';
import { settings } from './tables.ts';

const actionsSchema = z.object({
  actions: z.array(z.object({ principal: z.string(), action: z.string(), allowed: z.number(), denied: z.number() })),
});

const subnet = settings['ACI_SUBNET_ID'];
const app = defaultPrincipal({
  subscription: settings['AZURE_SUBSCRIPTION_ID'] ?? '',
  resourceGroups: [settings['AZURE_RESOURCE_GROUP'] ?? ''],
  subnets: subnet === undefined ? [] : [subnet],
});

/** What the emulator was asked for since the cloud came up, however long ago. */
async function usesOfApp() {
  const answer = await fetch(`${record.emulatorAdminUrl ?? ''}/_emulator/actions`);
  const { actions } = actionsSchema.parse(await answer.json());
  return actions.filter(({ principal }) => principal === app.clientId);
}

const namespace = 'roles';

describe('the deployed roles', () => {
  beforeAll(() => createNamespace(namespace));
  afterAll(async () => {
    await clearFaults();
    await removeNamespace(namespace);
  });

  it('let the app read why a group that was accepted found no room; the pod runs when there is', async () => {
    await addFault({ method: 'PUT', path: '/containerGroups/[^/?]*no-room', capacity: 'async' });
    await apply(pod('no-room', { namespace }));
    await until(
      'the pod runs',
      () => phase('no-room', namespace),
      (seen) => seen === 'Running',
      120_000,
    );
    const events = await kubectl(['get', 'events', '-n', namespace, '-o', 'jsonpath={.items[*].message}']);
    expect(events.stdout).toContain('is not available in the location');
  });

  it('have nothing missing: no request of the app was denied', async () => {
    const denied = (await usesOfApp()).filter((use) => use.denied > 0).map((use) => use.action);
    expect(denied, 'missing in infra/azure/roles').toEqual([]);
  });

  it('have nothing too much: the whole suite needed each of their actions', async () => {
    const used = new Set((await usesOfApp()).filter((use) => use.allowed > 0).map((use) => use.action));
    const unused = app.assignments.flatMap(({ actions }) => actions).filter((action) => !used.has(action));
    expect(unused, 'too much in infra/azure/roles, or this file was run without the others').toEqual([]);
  });
});
