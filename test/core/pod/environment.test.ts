import { describe, expect, it } from 'vitest';
import { translatePod } from '../../../shared/core/pod/translate.ts';
import {
  configMap,
  environmentOf,
  facts,
  podOf,
  rawContainer,
  resolved,
  secret,
  translated,
  withContainer,
} from './fixtures.ts';
import type { Raw } from './fixtures.ts';

const env = (...variables: Raw[]) => withContainer({ env: variables });
const references = resolved({
  configMaps: { settings: configMap({ COLOUR: 'red', 'bad.name': 'x' }), other: configMap({ COLOUR: 'blue' }) },
  secrets: {
    login: secret({ PASSWORD: 's3cret', EMPTY: '' }),
    binary: { type: 'Opaque', data: { KEY: new Uint8Array([0xff, 0xfe]) } },
  },
});
const fromConfigMap = (name: string, key: string, optional = false): Raw => ({
  configMapKeyRef: { name, key, optional },
});
const fromSecret = (name: string, key: string, optional = false): Raw => ({ secretKeyRef: { name, key, optional } });
const fromField = (fieldPath: string): Raw => ({ fieldRef: { apiVersion: 'v1', fieldPath } });
const fromResource = (resource: string, divisor = '0'): Raw => ({ resourceFieldRef: { resource, divisor } });

describe('variables that multiply', () => {
  const doubled = (count: number): Raw[] =>
    Array.from({ length: count }, (_, at) => ({
      name: `A${at}`,
      value: at === 0 ? 'x' : `$(A${at - 1})$(A${at - 1})`,
    }));
  const container = 'spec.containers[0]';
  it.each<[string, Raw, string]>([
    ['one by one', { env: doubled(40) }, `${container}.env[22].value`],
    [
      'in one that names another very often',
      { env: [...doubled(22), { name: 'B', value: '$(A21)'.repeat(50_000) }] },
      `${container}.env[22].value`,
    ],
    [
      'in a word of the command',
      { env: doubled(22), command: ['x', '$(A21)'.repeat(50_000)] },
      `${container}.command[1]`,
    ],
    [
      'in all',
      { env: [...doubled(22), ...Array.from({ length: 300 }, (_, at) => ({ name: `B${at}`, value: '$(A21)' }))] },
      'spec.containers',
    ],
  ])('beyond what ARM takes are refused: %s', (_, raw, field) =>
    expect(translatePod(withContainer(raw), facts, resolved())).toMatchObject({ kind: 'refused', field }),
  );
});

describe('a variable', () => {
  it.each<[string, Raw, string | undefined]>([
    ['has its literal value', { name: 'X', value: 'x' }, 'x'],
    ['may be empty, and is kept', { name: 'X' }, ''],
    ['comes from a ConfigMap', { name: 'X', valueFrom: fromConfigMap('settings', 'COLOUR') }, 'red'],
    [
      'comes from a Secret as a secure value',
      { name: 'X', valueFrom: fromSecret('login', 'PASSWORD') },
      'secret:s3cret',
    ],
    ['from an empty Secret is just empty', { name: 'X', valueFrom: fromSecret('login', 'EMPTY') }, ''],
    [
      'is left out when its key is optional and missing',
      { name: 'X', valueFrom: fromConfigMap('settings', 'NO', true) },
      undefined,
    ],
    [
      'is left out when its Secret is optional and missing',
      { name: 'X', valueFrom: fromSecret('no', 'NO', true) },
      undefined,
    ],
    [
      'never reads what an object inherits',
      { name: 'X', valueFrom: fromConfigMap('settings', 'toString', true) },
      undefined,
    ],
    ['is the name of the pod', { name: 'X', valueFrom: fromField('metadata.name') }, 'web'],
    ['is the namespace', { name: 'X', valueFrom: fromField('metadata.namespace') }, 'shop'],
    ['is the UID', { name: 'X', valueFrom: fromField('metadata.uid') }, 'b7a0f6d2-0000-4000-8000-000000000002'],
    ['is the node', { name: 'X', valueFrom: fromField('spec.nodeName') }, 'aci-1'],
    ['is the service account', { name: 'X', valueFrom: fromField('spec.serviceAccountName') }, 'default'],
    ['is the address of the node', { name: 'X', valueFrom: fromField('status.hostIP') }, '10.0.0.7'],
    ['is a label', { name: 'X', valueFrom: fromField("metadata.labels['app']") }, 'shop-web'],
    ['is an annotation', { name: 'X', valueFrom: fromField("metadata.annotations['example.com/a']") }, 'b'],
    ['is empty for a label that is not there', { name: 'X', valueFrom: fromField("metadata.labels['no']") }, ''],
    ['is the requested cores, rounded up', { name: 'X', valueFrom: fromResource('requests.cpu') }, '1'],
    ['is the requested cores in thousandths', { name: 'X', valueFrom: fromResource('requests.cpu', '1m') }, '250'],
    ['is the memory limit in bytes', { name: 'X', valueFrom: fromResource('limits.memory') }, '536870912'],
    ['is the memory limit in mebibytes', { name: 'X', valueFrom: fromResource('limits.memory', '1Mi') }, '512'],
    [
      'is what the group grants where there is no limit',
      { name: 'X', valueFrom: fromResource('limits.cpu', '1m') },
      '1000',
    ],
  ])('%s', (_, variable, value) => {
    const pod = podOf(
      {
        containers: [
          rawContainer({ env: [variable], resources: { requests: { cpu: '250m' }, limits: { memory: '512Mi' } } }),
        ],
      },
      { labels: { app: 'shop-web' }, annotations: { 'example.com/a': 'b' } },
    );
    expect(environmentOf(pod, references).X).toBe(value);
  });
});

describe('the order of the environment', () => {
  it.each<[string, Raw, Record<string, string>]>([
    [
      'a later source wins',
      { envFrom: [{ configMapRef: { name: 'settings' } }, { configMapRef: { name: 'other' } }] },
      { COLOUR: 'blue' },
    ],
    [
      'env wins over envFrom',
      { envFrom: [{ configMapRef: { name: 'settings' } }], env: [{ name: 'COLOUR', value: 'green' }] },
      { COLOUR: 'green' },
    ],
    [
      'a prefix is put before each name',
      { envFrom: [{ prefix: 'P_', configMapRef: { name: 'settings' } }] },
      { P_COLOUR: 'red' },
    ],
    [
      'a Secret as a source makes secure values',
      { envFrom: [{ secretRef: { name: 'login' } }] },
      { PASSWORD: 'secret:s3cret', EMPTY: '' },
    ],
    ['a missing optional source is left out', { envFrom: [{ secretRef: { name: 'no', optional: true } }] }, {}],
    [
      'what came before is expanded',
      {
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '$(A)2' },
        ],
      },
      { A: '1', B: '12' },
    ],
    [
      'what comes later is not',
      {
        env: [
          { name: 'B', value: '$(A)2' },
          { name: 'A', value: '1' },
        ],
      },
      { B: '$(A)2', A: '1' },
    ],
    [
      'what came from elsewhere is not expanded',
      {
        env: [
          { name: 'A', value: '1' },
          { name: 'B', valueFrom: fromField('metadata.name') },
        ],
      },
      { A: '1', B: 'web' },
    ],
    [
      'a secret stays one when it is expanded, twice too',
      {
        env: [
          { name: 'K', valueFrom: fromSecret('login', 'PASSWORD') },
          { name: 'U', value: 'u:$(K)' },
          { name: 'V', value: '[$(U)]' },
        ],
      },
      { K: 'secret:s3cret', U: 'secret:u:s3cret', V: 'secret:[u:s3cret]' },
    ],
  ])('%s', (_, container, expected) => {
    expect(environmentOf(withContainer(container), references)).toEqual(expected);
  });

  it('leaves out names that ACI does not take, and reports them', () => {
    const group = translated(withContainer({ envFrom: [{ configMapRef: { name: 'settings' } }] }), references);
    expect(group.notices).toEqual([
      expect.objectContaining({
        type: 'Warning',
        reason: 'InvalidEnvironmentVariableNames',
        message: expect.stringContaining('bad.name'),
      }),
    ]);
  });
});

describe('a pod waits', () => {
  it.each<[string, Raw, string]>([
    ['for a ConfigMap', { env: [{ name: 'X', valueFrom: fromConfigMap('no', 'K') }] }, 'configmap "no" not found'],
    ['for a Secret', { env: [{ name: 'X', valueFrom: fromSecret('no', 'K') }] }, 'secret "no" not found'],
    [
      'for a key of a ConfigMap',
      { env: [{ name: 'X', valueFrom: fromConfigMap('settings', 'K') }] },
      "couldn't find key K in ConfigMap shop/settings",
    ],
    [
      'for a key of a Secret',
      { env: [{ name: 'X', valueFrom: fromSecret('login', 'K') }] },
      "couldn't find key K in Secret shop/login",
    ],
    ['for a source', { envFrom: [{ configMapRef: { name: 'no' } }] }, 'configmap "no" not found'],
    ['for a secret source', { envFrom: [{ secretRef: { name: 'no' } }] }, 'secret "no" not found'],
    [
      'for text where there are bytes',
      { env: [{ name: 'X', valueFrom: fromSecret('binary', 'KEY') }] },
      'key KEY of Secret binary is not UTF-8 text; mount it as a file',
    ],
  ])('%s', (_, container, message) => {
    expect(translatePod(withContainer(container), facts, references)).toEqual({
      kind: 'waiting',
      reason: 'CreateContainerConfigError',
      message,
      container: { member: 'containers', name: 'main' },
    });
  });
});

describe('the command', () => {
  const commandOf = (container: Raw) => translated(withContainer(container), references).body.containers[0]?.command;

  it.each<[string, Raw, string[] | undefined]>([
    ['is left to the image when none is given', {}, undefined],
    ['is the command and its arguments', { command: ['a'], args: ['b', 'c'] }, ['a', 'b', 'c']],
    [
      'is expanded with the whole environment',
      { command: ['a', '$(B)'], args: ['$(N)$(B)'], env: [{ name: 'B', value: '1' }] },
      ['a', '1', '$(N)1'],
    ],
    ['knows the services too', { command: ['$(KUBERNETES_SERVICE_HOST)'] }, ['api.example']],
  ])('%s', (_, container, command) => {
    expect(commandOf(container)).toEqual(command);
  });

  it.each(['command', 'args'])('never shows a secret: %s', (member) => {
    const pod = withContainer({
      command: ['a'],
      env: [
        { name: 'K', valueFrom: fromSecret('login', 'PASSWORD') },
        { name: 'L', value: '$(K)' },
      ],
      [member]: ['x', '$(L)'],
      ...(member === 'args' && { command: ['a'] }),
    });
    const translation = translatePod(pod, facts, references);
    expect(translation).toMatchObject({ kind: 'refused', field: `spec.containers[0].${member}[1]` });
    expect(JSON.stringify(translation)).not.toContain('s3cret');
  });
});

describe('variables of services', () => {
  const services = [
    {
      name: 'kubernetes',
      namespace: 'default',
      clusterIP: '10.0.0.1',
      ports: [{ name: 'https', port: 443, protocol: 'TCP' }],
    },
    {
      name: 'my-db',
      namespace: 'shop',
      clusterIP: '10.0.0.2',
      ports: [
        { port: 5432, protocol: 'TCP' },
        { name: 'metrics-x', port: 90, protocol: 'UDP' },
      ],
    },
    { name: 'headless', namespace: 'shop', clusterIP: 'None', ports: [{ port: 1, protocol: 'TCP' }] },
    { name: 'six', namespace: 'shop', clusterIP: 'fd00::1', ports: [{ port: 1, protocol: 'TCP' }] },
    { name: 'elsewhere', namespace: 'other', clusterIP: '10.0.0.3', ports: [{ port: 1, protocol: 'TCP' }] },
  ];
  const { apiServer: _, ...inCluster } = facts;
  const all = (pod = withContainer({}), nodeFacts = facts) =>
    Object.fromEntries(
      translated(pod, resolved({ services }), nodeFacts).body.containers[0]?.environmentVariables.map(
        ({ name, value }) => [name, value],
      ) ?? [],
    );

  it('are those of Docker links and of Kubernetes', () => {
    expect(all()).toMatchObject({
      MY_DB_SERVICE_HOST: '10.0.0.2',
      MY_DB_SERVICE_PORT: '5432',
      MY_DB_SERVICE_PORT_METRICS_X: '90',
      MY_DB_PORT: 'tcp://10.0.0.2:5432',
      MY_DB_PORT_5432_TCP: 'tcp://10.0.0.2:5432',
      MY_DB_PORT_5432_TCP_PROTO: 'tcp',
      MY_DB_PORT_5432_TCP_PORT: '5432',
      MY_DB_PORT_5432_TCP_ADDR: '10.0.0.2',
      MY_DB_PORT_90_UDP: 'udp://10.0.0.2:90',
      SIX_PORT: 'tcp://[fd00::1]:1',
    });
  });

  it('leave out what has no address and what is elsewhere', () => {
    expect(Object.keys(all()).filter((name) => /^(HEADLESS|ELSEWHERE)/.test(name))).toEqual([]);
  });

  it('name the API server that pods can reach', () => {
    expect(all()).toMatchObject({
      KUBERNETES_SERVICE_HOST: 'api.example',
      KUBERNETES_SERVICE_PORT: '443',
      KUBERNETES_SERVICE_PORT_HTTPS: '443',
    });
    expect(all(withContainer({}), inCluster)).toMatchObject({
      KUBERNETES_SERVICE_HOST: '10.0.0.1',
      KUBERNETES_PORT: 'tcp://10.0.0.1:443',
    });
  });

  it('are only those of the API server without service links', () => {
    const names = Object.keys(all(withContainer({}, { enableServiceLinks: false })));
    expect(names.length).toBeGreaterThan(0);
    expect(names.every((name) => name.startsWith('KUBERNETES_'))).toBe(true);
  });

  it('yield to those of the container, which may use them', () => {
    const pod = env({ name: 'URL', value: 'pg://$(MY_DB_SERVICE_HOST)' }, { name: 'MY_DB_SERVICE_HOST', value: 'own' });
    expect(all(pod)).toMatchObject({ URL: 'pg://10.0.0.2', MY_DB_SERVICE_HOST: 'own' });
  });
});
