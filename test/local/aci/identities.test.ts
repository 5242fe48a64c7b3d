import { describe, expect, it } from 'vitest';
import type { EmulatorOptions } from '../../../infra/local/aci/options.ts';
import { defaultPrincipal } from '../../../infra/local/aci/rbac.ts';
import { containerBody, createBench, groupBody, groupsPath, subscription } from './harness.ts';
import type { Answer, Bench } from './harness.ts';

const scope = `/subscriptions/${subscription}`;
const identities = `${scope}/resourceGroups/team/providers/Microsoft.ManagedIdentity/userAssignedIdentities`;
const reports = `${identities}/reports`;
const other = `${identities}/other`;
const subnet = `${scope}/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/v/subnets/s`;

const withIdentity = (ids: readonly string[], properties: object = {}, type = 'UserAssigned'): object =>
  groupBody(properties, { identity: { type, userAssignedIdentities: Object.fromEntries(ids.map((id) => [id, {}])) } });

const appBench = (knobs: Partial<EmulatorOptions> = {}): Bench =>
  createBench({
    knobs,
    principals: [defaultPrincipal({ subscription, resourceGroups: ['rg'], subnets: [], identities: [reports] })],
  });

const codeOf = ({ status, body }: Answer): readonly unknown[] => [status, body.error?.code];
const assign = 'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action';

describe('identities that a group is given', () => {
  it('are the caller’s to give, in whatever case they are written', async () => {
    const bench = appBench();
    expect((await bench.put('g', withIdentity([reports]))).status).toBe(201);
    expect((await bench.put('h', withIdentity([reports.toLowerCase()]))).status).toBe(201);
  });

  it('are refused together when the caller may not give them, in ARM’s words', async () => {
    const bench = appBench();
    const answer = await bench.put('g', withIdentity([other, reports, `${other}-2`]));
    const [app] = bench.core.state.principals;
    expect(codeOf(answer)).toEqual([403, 'LinkedAuthorizationFailed']);
    expect(answer.body.error.message).toBe(
      `The client '${app?.clientId}' with object id '${app?.objectId}' has permission to perform action 'Microsoft.ContainerInstance/containerGroups/write' on scope '${groupsPath}/g'; however, it does not have permission to perform action(s) '${assign}' on the linked scope(s) '${other},${other}-2' or the linked scope(s) are invalid.`,
    );
    expect((await bench.get('g')).status).toBe(404);
  });

  it('are counted as actions that were needed, each', async () => {
    const bench = appBench();
    await bench.put('g', withIdentity([other, reports]));
    expect([...bench.core.state.journal.actions.values()]).toContainEqual(
      expect.objectContaining({ action: assign, allowed: 1, denied: 1 }),
    );
  });

  it('come after subnets: one action is named', async () => {
    const answer = await appBench().put('g', withIdentity([other], { subnetIds: [{ id: subnet }] }));
    expect(answer.body.error.message).toContain('subnets/join/action');
    expect(answer.body.error.message).not.toContain(assign);
  });

  it('must be there where the knob says which are', async () => {
    const bench = createBench({ knobs: { identities: [reports.toUpperCase()] } });
    expect((await bench.put('g', withIdentity([reports]))).status).toBe(201);
    const answer = await bench.put('h', withIdentity([reports, other]));
    expect(codeOf(answer)).toEqual([400, 'FailedIdentityOperation']);
    expect(answer.body.error.message).toContain(`Resource '${other}' was not found.`);
  });

  it.each<[string, object, string]>([
    ['a name instead of an id', withIdentity(['reports']), 'LinkedInvalidPropertyId'],
    ['an id of something else', withIdentity([subnet]), 'InvalidIdentityId'],
    ['an id with something below it', withIdentity([`${reports}/x`]), 'InvalidIdentityId'],
    ['no id', withIdentity([]), 'MissingIdentityIds'],
    ['no ids at all', groupBody({}, { identity: { type: 'UserAssigned' } }), 'MissingIdentityIds'],
    ['an unknown type', withIdentity([reports], {}, 'Own'), 'InvalidRequestContent'],
    ['ids without their type', withIdentity([reports], {}, 'SystemAssigned'), 'InvalidRequestContent'],
    [
      'null',
      groupBody({}, { identity: { type: 'UserAssigned', userAssignedIdentities: { [reports]: null } } }),
      'InvalidRequestContent',
    ],
  ])('are refused: %s', async (_, body, code) => {
    const bench = createBench();
    expect(codeOf(await bench.put('g', body))).toEqual([400, code]);
    expect((await bench.get('g')).status).toBe(404);
  });

  it('are shown as they were sent, each with its ids', async () => {
    const { body } = await appBench().put('g', withIdentity([reports]));
    expect(body.identity).toEqual({
      type: 'UserAssigned',
      userAssignedIdentities: { [reports]: { principalId: expect.any(String), clientId: expect.any(String) } },
    });
  });
});

describe('images that an identity pulls', () => {
  const server = 'prod.test';
  const image = `${server}/app:1`;
  const login = { username: 'u', password: 'hush' };
  const open = (pullIdentities: EmulatorOptions['pullIdentities'], imageFaultMode: 'sync' | 'async' = 'sync'): Bench =>
    createBench({ knobs: { pullIdentities, imageFaultMode }, images: { [image]: { login } } });
  const body = withIdentity([reports], {
    containers: [containerBody('c', { image })],
    imageRegistryCredentials: [{ server, identity: reports }],
  });

  it('are there with the login of the knob, which no answer shows', async () => {
    const bench = open({ [reports.toUpperCase()]: { server: `https://${server}/`, ...login } });
    await bench.running('g', body);
    const seen = (await bench.get('g')).body;
    expect(seen.properties.instanceView.state).toBe('Running');
    expect(seen.properties['imageRegistryCredentials']).toEqual([{ server, identity: reports }]);
    expect(JSON.stringify(seen)).not.toContain('hush');
  });

  it.each<[string, EmulatorOptions['pullIdentities']]>([
    ['of no login', {}],
    ['that another identity may pull', { [other]: { server, ...login } }],
    ['of another registry', { [reports]: { server: 'elsewhere.test', ...login } }],
    ['with a wrong login', { [reports]: { server, username: 'u', password: 'x' } }],
  ])('are not accessible: %s', async (_, logins) => {
    expect(codeOf(await open(logins).put('g', body))).toEqual([400, 'InaccessibleImage']);
  });

  it('fail behind the answer where the knob says so', async () => {
    const bench = open({}, 'async');
    await bench.running('g', body);
    const { events } = await bench.container('g');
    expect(events.find(({ name }) => name === 'Failed')?.message).toContain('unauthorized');
  });

  it('need the identity among those of the group', async () => {
    const answer = await open({}).put('g', groupBody({ imageRegistryCredentials: [{ server, identity: reports }] }));
    expect(codeOf(answer)).toEqual([400, 'InvalidImageRegistryIdentity']);
  });
});

describe('the key that a group is encrypted with', () => {
  const key = { vaultBaseUrl: 'https://v.vault.azure.net', keyName: 'k', keyVersion: '1' };

  it('is shown as it was sent, with and without an identity that reads it', async () => {
    const bench = createBench();
    const own = await bench.put('g', groupBody({ encryptionProperties: key }));
    expect(own.body.properties['encryptionProperties']).toEqual(key);
    const encryptionProperties = { ...key, identity: reports };
    const given = await bench.put('h', withIdentity([reports], { encryptionProperties }));
    expect(given.body.properties['encryptionProperties']).toEqual(encryptionProperties);
  });

  it.each<[string, object]>([
    ['no version', groupBody({ encryptionProperties: { ...key, keyVersion: undefined } })],
    ['an identity that the group has not', groupBody({ encryptionProperties: { ...key, identity: reports } })],
  ])('is refused with %s', async (_, body) => {
    expect((await createBench().put('g', body)).status).toBe(400);
  });
});
