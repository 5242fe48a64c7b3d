import { describe, expect, it } from 'vitest';
import { containerBody, createBench, groupBody, groupsPath, subscription } from './harness.ts';

const subnet = `/subscriptions/${subscription}/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/v/subnets/s`;
const privateAddress = { ipAddress: { type: 'Private', ports: [{ port: 80 }] }, subnetIds: [{ id: subnet }] };

describe('B. create', () => {
  it('13 PUT of a new group: 201 with Azure-AsyncOperation on the request host, nothing else to poll', async () => {
    const answer = await createBench().put('g');
    expect(answer.status).toBe(201);
    expect(answer.headers['Azure-AsyncOperation']).toMatch(
      new RegExp(
        `^https://arm\\.test/subscriptions/${subscription}/providers/Microsoft\\.ContainerInstance/locations/westeurope/operations/[0-9a-f-]{36}\\?api-version=2018-06-01$`,
      ),
    );
    expect(answer.headers).not.toHaveProperty('Location');
    expect(answer.headers).not.toHaveProperty('Retry-After');
  });

  it('14 x-ms-request-id is location and operation id', async () => {
    const { headers } = await createBench().put('g');
    const id = /operations\/([0-9a-f-]{36})/.exec(headers['Azure-AsyncOperation'] ?? '')?.[1];
    expect(headers['x-ms-request-id']).toBe(`westeurope:${id}`);
  });

  it('15 the body is Pending and its containers have no instanceView', async () => {
    const { body } = await createBench().put('g');
    expect(body.properties.provisioningState).toBe('Pending');
    expect(body.properties.instanceView).toEqual({ events: [], state: 'Pending' });
    expect(body.properties.containers[0]?.properties).not.toHaveProperty('instanceView');
  });

  it('16 defaults are added, optional members only echoed when sent', async () => {
    const bench = createBench();
    const { body } = await bench.put('g', groupBody({}, { tags: undefined }));
    expect(body.properties).toMatchObject({
      sku: 'Standard',
      provisioningTimeoutInSeconds: 1800,
      isCustomProvisioningTimeout: false,
      initContainers: [],
    });
    expect(body.properties.containers[0]?.properties).toMatchObject({ ports: [], environmentVariables: [] });
    for (const name of ['priority', 'volumes', 'ipAddress']) expect(body.properties).not.toHaveProperty(name);
    expect(body.properties.containers[0]?.properties).not.toHaveProperty('command');
    expect(body).not.toHaveProperty('tags');
    const sent = await bench.put('h', groupBody({ containers: [containerBody('c', { command: [] })] }, { tags: {} }));
    expect(sent.body['tags']).toEqual({});
    expect(sent.body.properties.containers[0]?.properties['command']).toEqual([]);
  });

  it('17 the location is echoed as sent', async () => {
    expect((await createBench().put('g')).body['location']).toBe('West Europe');
  });

  it('18 no secret comes back, in no answer', async () => {
    const bench = createBench();
    const secrets = {
      containers: [
        containerBody('c', {
          environmentVariables: [
            { name: 'A', secureValue: 'hush-1' },
            { name: 'B', value: '' },
          ],
        }),
      ],
      imageRegistryCredentials: [{ server: 'r', username: 'u', password: 'hush-2' }],
      diagnostics: { logAnalytics: { workspaceId: 'w', workspaceKey: 'hush-3' } },
      subnetIds: [{ id: subnet }],
      extensions: [
        {
          name: 'e',
          properties: { extensionType: 'realtime-metrics', version: '1', protectedSettings: { k: 'hush-4' } },
        },
      ],
      volumes: [
        { name: 's', secret: { key: 'aHVzaC01' } },
        { name: 'f', azureFile: { shareName: 's', storageAccountName: 'a', storageAccountKey: 'hush-6' } },
      ],
    };
    const put = await bench.running('g', groupBody(secrets));
    const answers = [put, await bench.get('g'), await bench.request('GET', groupsPath), await bench.delete('g')];
    for (const answer of answers) expect(JSON.stringify(answer.body)).not.toMatch(/hush|aHVzaC/);
    expect(put.body.properties.containers[0]?.properties['environmentVariables']).toEqual([
      { name: 'A' },
      { name: 'B', value: '' },
    ]);
    expect(put.body.properties['volumes']).toMatchObject([{ name: 's', secret: {} }, { name: 'f' }]);
  });

  it('19 with a DNS label the 201 has fqdn and ip; without, the ip comes with the containers', async () => {
    const bench = createBench();
    const address = (rest: object): object =>
      groupBody({ ipAddress: { type: 'Public', ports: [{ port: 80 }], ...rest } });
    const labelled = await bench.put('a', address({ dnsNameLabel: 'label' }));
    expect(labelled.body.properties.ipAddress.fqdn).toBe('label.westeurope.azurecontainer.io');
    expect(labelled.body.properties.ipAddress.ip).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    const plain = await bench.running('b', address({}));
    expect(plain.body.properties.ipAddress).not.toHaveProperty('ip');
    expect((await bench.get('b')).body.properties.ipAddress.ip).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
  });

  it('20 a private group: no ipAddress in the 201, then base + 4, the next one next; freed on delete', async () => {
    const bench = createBench({ knobs: { subnets: [{ id: subnet, cidr: '10.0.0.0/24', delegated: true }] } });
    expect((await bench.running('a', groupBody(privateAddress))).body.properties).not.toHaveProperty('ipAddress');
    await bench.running('b', groupBody(privateAddress));
    const ipOf = async (name: string): Promise<string> => (await bench.get(name)).body.properties.ipAddress.ip;
    expect([await ipOf('a'), await ipOf('b')]).toEqual(['10.0.0.4', '10.0.0.5']);
    await bench.delete('a');
    await bench.running('c', groupBody(privateAddress));
    expect(await ipOf('c')).toBe('10.0.0.4');
  });

  it('20 the address that the runtime reports is the group’s, if it asked for one', async () => {
    const bench = createBench({ addresses: true });
    await bench.running('a', groupBody(privateAddress));
    await bench.running('b');
    expect((await bench.get('a')).body.properties.ipAddress.ip).toMatch(/^10\.88\./);
    expect((await bench.get('b')).body.properties).not.toHaveProperty('ipAddress');
  });

  it('21 identities have their ids in the 201 and keep them', async () => {
    const bench = createBench();
    const user = `/subscriptions/${subscription}/resourceGroups/r/providers/Microsoft.ManagedIdentity/userAssignedIdentities/u`;
    const identity = { type: 'SystemAssigned, UserAssigned', userAssignedIdentities: { [user]: {} } };
    const { body } = await bench.put('g', groupBody({}, { identity }));
    expect(body.identity.principalId).toMatch(/^[0-9a-f-]{36}$/);
    expect(body.identity.tenantId).toMatch(/^[0-9a-f-]{36}$/);
    expect(body.identity.userAssignedIdentities[user]).toHaveProperty('clientId');
    expect((await bench.get('g')).body.identity).toEqual(body.identity);
  });

  it('22 by the knob the operation URL is long and signed, and works only whole', async () => {
    const bench = createBench({ knobs: { signedOperationUrls: true } });
    const put = await bench.request('PUT', `${groupsPath}/g`, { body: groupBody(), version: '2025-09-01' });
    const url = put.headers['Azure-AsyncOperation'] ?? '';
    expect(url.length).toBeGreaterThan(3000);
    expect((await bench.poll(put)).status).toBe(200);
    const cut = { ...put, headers: { 'Azure-AsyncOperation': url.slice(0, -100) } };
    expect((await bench.poll(cut)).status).toBe(404);
    expect((await bench.put('h')).headers['Azure-AsyncOperation']).not.toContain('&s=');
  });

  it('23 numbers come back equal', async () => {
    const resources = { requests: { cpu: 1.25, memoryInGB: 1.5 }, limits: { cpu: 1, memoryInGB: 1.1 } };
    const { body } = await createBench().put('g', groupBody({ containers: [containerBody('c', { resources })] }));
    expect(body.properties.containers[0]?.properties['resources']).toEqual(resources);
  });
});

describe('C. the operation resource', () => {
  it('24 26 31 answers 200 with the group’s id, seven fractional digits, no write headers, at any api-version', async () => {
    const bench = createBench();
    const put = await bench.put('g');
    const poll = await bench.poll(put);
    expect(poll.status).toBe(200);
    expect(poll.body.id).toBe(`${groupsPath}/g`);
    expect(poll.body.startTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/);
    expect(poll.headers).not.toHaveProperty('Retry-After');
    expect(Object.keys(poll.headers).join(' ')).not.toMatch(/resource-requests|-writes/);
    const path = (put.headers['Azure-AsyncOperation'] ?? '').replace('https://arm.test', '').split('?')[0] ?? '';
    expect((await bench.request('GET', path, { version: '2099-01-01' })).status).toBe(200);
  });

  it('25 the status goes Pending, Creating, Succeeded; Updating, Succeeded; Pending, Succeeded', async () => {
    const bench = createBench();
    const watch = async (began: Awaited<ReturnType<typeof bench.put>>): Promise<string[]> => {
      const seen: string[] = [];
      for (let second = 0; second < 20; second++) {
        const { status } = (await bench.poll(began)).body;
        if (seen.at(-1) !== status) seen.push(status);
        await bench.clock.advance(1000);
      }
      return seen;
    };
    expect(await watch(await bench.put('g'))).toEqual(['Pending', 'Creating', 'Succeeded']);
    expect(await watch(await bench.post('g', 'restart'))).toEqual(['Updating', 'Succeeded']);
    await bench.post('g', 'stop');
    expect(await watch(await bench.post('g', 'start'))).toEqual(['Pending', 'Succeeded']);
  });

  it('27 its events are among the containers’', async () => {
    const bench = createBench();
    const put = await bench.running('g');
    const { events } = (await bench.poll(put)).body.properties;
    const { events: shown } = await bench.container('g');
    expect(events.length).toBeGreaterThan(1);
    for (const event of events) expect(shown).toContainEqual(event);
  });

  it('28 47 no capacity: Failed with InsufficientCapacity. and the resource text; the group is Failed', async () => {
    const bench = createBench();
    bench.fault({ method: 'PUT', capacity: 'async' });
    const put = await bench.running('g', groupBody(privateAddress));
    const poll = await bench.poll(put);
    expect(poll.body.status).toBe('Failed');
    expect(poll.body).not.toHaveProperty('error');
    expect(poll.body.properties.events).toMatchObject([
      {
        name: 'InsufficientCapacity.',
        message:
          "The requested resource is not available in the location 'West Europe' at this moment. Please retry with a different resource request or in another location. Resource requested: '1' CPU '1.5' GB memory 'Linux' OS virtual network",
      },
    ]);
    expect((await bench.get('g')).body.properties.provisioningState).toBe('Failed');
  });

  it('47 a group that is never scheduled is Pending until 1800 s, then Failed', async () => {
    const bench = createBench();
    bench.fault({ method: 'PUT', capacity: 'never' });
    const put = await bench.put('g');
    await bench.clock.advance(1_799_000);
    expect((await bench.poll(put)).body.status).toBe('Creating');
    await bench.clock.advance(1000);
    expect((await bench.poll(put)).body.status).toBe('Failed');
    expect((await bench.get('g')).body.properties.instanceView.state).toBe('Pending');
    expect((await bench.delete('g')).status).toBe(200);
  });

  it('30 an operation that has ended keeps its status and events, whatever becomes of the group', async () => {
    const bench = createBench();
    const put = await bench.running('g');
    const ended = (await bench.poll(put)).body;
    await bench.post('g', 'restart');
    await bench.clock.advance(20_000);
    await bench.delete('g');
    expect((await bench.poll(put)).body).toEqual(ended);
    expect(ended.status).toBe('Succeeded');
  });

  it('29 30 unknown: 404; of a deleted group: 200 and terminal, for a day', async () => {
    const bench = createBench();
    const put = await bench.put('g');
    await bench.delete('g');
    expect((await bench.poll(put)).body.status).toBe('Canceled');
    await bench.clock.advance(23 * 3600 * 1000);
    const [principal] = bench.core.state.principals;
    const later = principal === undefined ? '' : bench.core.state.tokens.issue(principal, 'https://arm.test').token;
    const path = (put.headers['Azure-AsyncOperation'] ?? '').replace('https://arm.test', '');
    expect((await bench.request('GET', path, { token: later })).status).toBe(200);
    await bench.clock.advance(2 * 3600 * 1000);
    expect((await bench.request('GET', path, { token: later })).status).toBe(404);
    expect((await bench.request('GET', path.replace(/operations\/./, 'operations/z'), { token: later })).status).toBe(
      404,
    );
  });
});
