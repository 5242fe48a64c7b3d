/** After all that the other files did: the app needed exactly the actions of the roles that `infra/azure` deploys. */
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { defaultPrincipal } from '../../../infra/local/aci/rbac.ts';
import { record } from './cloud.ts';
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

describe('the deployed roles', () => {
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
