import { describe, expect, it } from 'vitest';
import { containerBody, createBench, groupBody, subscription } from './harness.ts';

const subnet = `/subscriptions/${subscription}/resourceGroups/n/providers/Microsoft.Network/virtualNetworks/v/subnets/s`;
const many = (count: number): object[] =>
  Array.from({ length: count }, (_, i) =>
    containerBody(`c${i}`, { resources: { requests: { cpu: 0.1, memoryInGB: 0.1 } } }),
  );
const one = (properties: object): object => groupBody({ containers: [containerBody('c', properties)] });
const mount = (name: string, mountPath: string): object => ({
  volumes: [{ name: 'v', emptyDir: {} }],
  containers: [containerBody('c', { volumeMounts: [{ name, mountPath }] })],
});
const envText =
  "The environment variable name in container 'c' of container group 'g' is invalid. A valid environment variable name must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName').";

describe('G. validation: each is 400 with its code, and nothing is created', () => {
  it.each<[string, object, string, string?]>([
    [
      '66 no osType',
      groupBody({ osType: undefined }),
      'InvalidOsType',
      "The 'osType' for container group '<null>' is invalid. The value must be one of 'Windows,Linux'.",
    ],
    [
      '67 no resources',
      one({ resources: undefined }),
      'ResourceRequestsNotSpecified',
      "The resource requests are not specified in container 'c' of contain group 'g'. Both memory and CPU requests are required since API version '2017-07-01-preview'.",
    ],
    [
      '68 a limit over the total',
      one({ resources: { requests: { cpu: 1, memoryInGB: 1 }, limits: { cpu: 2 } } }),
      'ContainerLimitGreaterThanContainerGroupTotalRequest',
      "The 'Cpu' limit '2' in container 'c' is greater than the total request '1' of container group 'g'.",
    ],
    [
      '69 a dotted name',
      one({ environmentVariables: [{ name: 'a.b', value: '' }] }),
      'InvalidContainerEnvironmentVariable',
      envText,
    ],
    [
      '69 a leading digit',
      one({ environmentVariables: [{ name: '1A', value: '' }] }),
      'InvalidContainerEnvironmentVariable',
      envText,
    ],
    [
      '70 no ports',
      groupBody({ ipAddress: { type: 'Public', ports: [] } }),
      'MissingIpAddressPorts',
      "The ports in the 'ipAddress' of container group 'g' cannot be empty.",
    ],
    [
      '71 an unknown registry identity',
      groupBody({ imageRegistryCredentials: [{ server: 's', identity: '/x' }] }),
      'InvalidImageRegistryIdentity',
    ],
    [
      '72 username and identity',
      groupBody({ imageRegistryCredentials: [{ server: 's', identity: '/x', username: 'u' }] }),
      'AmbiguousImageResitryCredentialType',
    ],
    [
      '73 Spot with an address',
      groupBody({ priority: 'Spot', ipAddress: { type: 'Public', ports: [{ port: 1 }] } }),
      'SpotPriorityContainerGroupNotSupportedForInboundConnectivity',
      'Spot Priority is not supported for container groups with inbound connectivity.',
    ],
    [
      '74 an undelegated subnet',
      groupBody({ subnetIds: [{ id: subnet }] }),
      'SubnetMissingRequiredDelegation',
      "Subnet missing required delegation 'Microsoft.ContainerInstance' for container group 'g'.",
    ],
  ])('%s', async (_label, body, code, message) => {
    const bench = createBench({ knobs: { subnets: [{ id: subnet, cidr: '10.0.0.0/24', delegated: false }] } });
    const answer = await bench.put('g', body);
    expect([answer.status, answer.body.error.code]).toEqual([400, code]);
    expect(answer.body.error.message).toBe(message ?? answer.body.error.message);
    expect((await bench.get('g')).status).toBe(404);
  });

  it('75 a missing registry server: the deserializer’s sentence', async () => {
    const answer = await createBench().put('g', groupBody({ imageRegistryCredentials: [{ username: 'u' }] }));
    expect([answer.status, answer.body.error.code]).toEqual([400, 'InvalidRequestContent']);
    expect(answer.body.error.message).toMatch(
      /^The request content was invalid and could not be deserialized: 'Required property 'server' not found in JSON\. Path 'properties\.imageRegistryCredentials\[0\]', line 1, position \d+\.'\.$/,
    );
  });

  const initWith = (properties: object): object =>
    groupBody({ initContainers: [{ name: 'i', properties: { image: 'a', ...properties } }] });
  it.each<[string, object, string?]>([
    ['61 containers', groupBody({ containers: many(61) })],
    ['no container', groupBody({ containers: [] })],
    ['21 volumes', groupBody({ volumes: Array.from({ length: 21 }, (_, i) => ({ name: `v${i}`, emptyDir: {} })) })],
    ['6 ports', groupBody({ ipAddress: { type: 'Public', ports: [1, 2, 3, 4, 5, 6].map((port) => ({ port })) } })],
    ['a mount without a volume', groupBody(mount('other', '/x'))],
    ['a mount path with a colon', groupBody(mount('v', '/a:b'))],
    ['the same container name twice', groupBody({ containers: [containerBody('c'), containerBody('c')] })],
    [
      'the same port twice',
      groupBody({
        containers: [containerBody('c', { ports: [{ port: 1 }] }), containerBody('d', { ports: [{ port: 1 }] })],
      }),
    ],
    ['port 0', one({ ports: [{ port: 0 }] })],
    ['a container name outside the regex', groupBody({ containers: [containerBody('C_1')] })],
    ['32 cores', one({ resources: { requests: { cpu: 32, memoryInGB: 1 } } })],
    ['241 GB', one({ resources: { requests: { cpu: 1, memoryInGB: 241 } } })],
    ['less than a core', one({ resources: { requests: { cpu: 0.5, memoryInGB: 1 } } })],
    [
      'Windows with two containers',
      groupBody({ osType: 'Windows', containers: [containerBody('c'), containerBody('d')] }),
    ],
    ['an init container with resources', initWith({ resources: { requests: { cpu: 1, memoryInGB: 1 } } })],
    ['an init container with a probe', initWith({ livenessProbe: { exec: { command: ['x'] } } })],
    ['a volume of two kinds', groupBody({ volumes: [{ name: 'v', emptyDir: {}, secret: {} }] })],
    ['a secret that is not base64', groupBody({ volumes: [{ name: 'v', secret: { k: 'ä' } }] })],
    ['a probe of no kind', one({ livenessProbe: {} })],
    ['a wrong type', groupBody({ containers: 'none' })],
    ['an unknown priority', groupBody({ priority: 'High' })],
    ['a group name outside the regex', groupBody(), 'G_1'],
    ['a group name of 64', groupBody(), 'a'.repeat(64)],
  ])('76 %s', async (_label, body, name = 'g') => {
    const bench = createBench();
    expect((await bench.put(name, body)).status).toBe(400);
    expect((await bench.get(name)).status).toBe(404);
  });

  it('76 the limits themselves are allowed', async () => {
    const bench = createBench();
    expect((await bench.put('a', groupBody({ containers: many(60) }))).status).toBe(201);
    expect((await bench.put('b', one({ resources: { requests: { cpu: 31, memoryInGB: 240 } } }))).status).toBe(201);
    expect((await bench.put('a'.repeat(63))).status).toBe(201);
  });
});
