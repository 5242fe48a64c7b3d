import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  apply,
  createNamespace,
  field,
  groups,
  kubectl,
  output,
  phase,
  pod,
  podSpec,
  removeNamespace,
  until,
} from './cloud.ts';

const namespace = 'b-references';
const planted = 'planted-b-references';
const shell = (script: string): string[] => ['sh', '-c', script];
const print = 'echo "$GREETING|$PASSWORD|$NAME|$SPACE|$BOTH|$from_LEVEL|$NODE|$CPUS"';
const configMap = (name: string, data: object): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data,
});
const secret = (name: string, type: string, stringData: object): object => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace },
  type,
  stringData,
});
const fromField = (name: string, fieldPath: string): object => ({ name, valueFrom: { fieldRef: { fieldPath } } });
const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'no-image', namespace },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: 'no-image' } },
    template: {
      metadata: { labels: { app: 'no-image' } },
      spec: podSpec({ restartPolicy: 'Always', image: 'busybox:no-such-tag' }),
    },
  },
};
const registry = JSON.stringify({ auths: { 'registry.example.com': { username: 'user', password: planted } } });

const objects = [
  configMap('settings', { greeting: 'hello', level: 'seven', 'file.conf': 'a = 1\nb = 2\n' }),
  configMap('levels', { LEVEL: 'high' }),
  secret('login', 'Opaque', { password: planted, 'key.pem': 'first\nsecond\n' }),
  secret('registry', 'kubernetes.io/dockerconfigjson', { '.dockerconfigjson': registry }),
  pod('environment', {
    namespace,
    command: shell(print),
    container: {
      envFrom: [{ prefix: 'from_', configMapRef: { name: 'levels' } }],
      env: [
        { name: 'GREETING', valueFrom: { configMapKeyRef: { name: 'settings', key: 'greeting' } } },
        { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'login', key: 'password' } } },
        fromField('NAME', 'metadata.name'),
        fromField('SPACE', 'metadata.namespace'),
        { name: 'BOTH', value: '$(GREETING)-$(PASSWORD)-$$(NAME)' },
        fromField('NODE', 'spec.nodeName'),
        { name: 'CPUS', valueFrom: { resourceFieldRef: { resource: 'requests.cpu' } } },
      ],
      resources: { requests: { cpu: '1' } },
    },
  }),
  pod('files', {
    namespace,
    command: shell('cat /config/file.conf /login/key.pem /login/password; echo; ls /config /some'),
    spec: {
      imagePullSecrets: [{ name: 'registry' }],
      volumes: [
        { name: 'config', configMap: { name: 'settings' } },
        { name: 'some', configMap: { name: 'settings', items: [{ key: 'level', path: 'chosen' }] } },
        { name: 'login', secret: { secretName: 'login' } },
      ],
    },
    container: {
      volumeMounts: [
        { name: 'config', mountPath: '/config' },
        { name: 'some', mountPath: '/some' },
        { name: 'login', mountPath: '/login' },
      ],
    },
  }),
  pod('waits', {
    namespace,
    command: shell('echo got $LATE'),
    container: { env: [{ name: 'LATE', valueFrom: { configMapKeyRef: { name: 'late', key: 'value' } } }] },
  }),
  deployment,
];

describe('what pods refer to', () => {
  beforeAll(async () => {
    await createNamespace(namespace);
    await apply(...objects);
  });

  afterAll(() => removeNamespace(namespace));

  const logsOf = (name: string): Promise<string> => output('logs', name, '-n', namespace);
  const ends = (name: string, wanted: string) =>
    until(
      `${name} is ${wanted}`,
      () => phase(name, namespace),
      (seen) => seen === wanted,
      120_000,
    );

  it('a ConfigMap that is not there keeps the pod Pending with a reason; made later, it starts', async () => {
    await until(
      'the reason',
      () => field('pod', 'waits', '{.status.containerStatuses[0].state.waiting}', namespace),
      (waiting) => waiting.includes('CreateContainerConfigError') && waiting.includes('late'),
    );
    expect(await phase('waits', namespace)).toBe('Pending');
    await apply(configMap('late', { value: 'it at last' }));
    await ends('waits', 'Succeeded');
    expect(await logsOf('waits')).toBe('got it at last\n');
  });

  it('environment from ConfigMap, Secret, fields and expansion', async () => {
    await ends('environment', 'Succeeded');
    expect(await logsOf('environment')).toBe(
      `hello|${planted}|environment|${namespace}|hello-${planted}-$(NAME)|high|aci-1|1\n`,
    );
  });

  it('files of ConfigMap and Secret volumes, with imagePullSecrets in the spec', async () => {
    await ends('files', 'Succeeded');
    expect((await logsOf('files')).split('\n')).toEqual([
      'a = 1',
      'b = 2',
      'first',
      'second',
      planted,
      '/config:',
      'file.conf',
      'greeting',
      'level',
      '',
      '/some:',
      'chosen',
      '',
    ]);
  });

  it('no secret is in what ARM shows of a group, nor in status and events', async () => {
    const own = (await groups()).filter((group) => group.tags['kubernetes-namespace'] === namespace);
    expect(JSON.stringify(own)).not.toContain(planted);
    expect(await output('get', 'pods,events', '-n', namespace, '-o', 'json')).not.toContain(planted);
  });

  it('an image that can not be pulled keeps the pod Pending; kubectl set image fixes the Deployment', async () => {
    const reason = '{.items[*].status.containerStatuses[0].state.waiting.reason}';
    const phases = ['get', 'pods', '-n', namespace, '-l', 'app=no-image', '-o'];
    await until(
      'the waiting reason',
      () => output(...phases, `jsonpath=${reason}`),
      (seen) => /^(ErrImagePull|ImagePullBackOff)$/.test(seen),
    );
    expect(await output(...phases, 'jsonpath={.items[*].status.phase}')).toBe('Pending');
    await output('set', 'image', 'deployment/no-image', 'main=busybox:1.36', '-n', namespace);
    const rolled = await kubectl(['rollout', 'status', 'deployment/no-image', '-n', namespace, '--timeout=120s'], {
      timeoutMs: 130_000,
    });
    expect(rolled.stdout).toContain('successfully rolled out');
  });
});
