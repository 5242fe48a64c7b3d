/** What people reported of other bridges (issues of Azure/AKS and virtual-kubelet/azure-aci), as far as it is the translation's. */
import { describe, expect, it } from 'vitest';
import type { GroupBody } from '../../../shared/core/group/group.ts';
import { groupName, tagNames } from '../../../shared/core/group/identity.ts';
import { inspectPod } from '../../../shared/core/pod/inspect.ts';
import { imageReferences } from '../../../shared/core/pod/image-needs.ts';
import { listReferences } from '../../../shared/core/pod/references.ts';
import { translatePod } from '../../../shared/core/pod/translate.ts';
import { configMap, facts, podOf, rawContainer, resolved, secret, translated, withContainer } from './fixtures.ts';
import type { Raw } from './fixtures.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const inSubnet = {
  ...facts,
  subnetId: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/aci',
};
const variablesOf = ({ containers }: GroupBody) => containers[0]?.environmentVariables ?? [];
const mounted = (source: Raw): Raw => ({
  volumes: [{ name: 'data', ...source }],
  containers: [rawContainer({ volumeMounts: [{ name: 'data', mountPath: '/data' }] })],
});

describe('groups of two pods', () => {
  const owner = { installation: 'sk', namespace: 'shop', name: 'web' };

  it('of one name, made one after the other, are not one (azure-aci#32)', () => {
    expect(groupName({ ...owner, uid: 'a' })).not.toBe(groupName({ ...owner, uid: 'b' }));
  });

  it('whose namespace and name join to the same text are not one', () => {
    const left = groupName({ ...owner, namespace: 'a-b', name: 'c', uid: '1' });
    expect(left).not.toBe(groupName({ ...owner, namespace: 'a', name: 'b-c', uid: '2' }));
  });

  it('are told apart by the pod’s UID in a tag', () => {
    expect(translated(podOf()).body.tags[tagNames.uid]).toBe('b7a0f6d2-0000-4000-8000-000000000002');
  });
});

describe('a secret value', () => {
  const references = resolved({ secrets: { login: secret({ password: 'hunter2' }) } });
  const fromKey = { secretKeyRef: { name: 'login', key: 'password' } };
  it.each<[string, Raw]>([
    ['from a key', { env: [{ name: 'P', valueFrom: fromKey }] }],
    ['of all keys', { envFrom: [{ secretRef: { name: 'login' } }] }],
    [
      'inside of another value',
      {
        env: [
          { name: 'P', valueFrom: fromKey },
          { name: 'URL', value: 'a:$(P)@b' },
        ],
      },
    ],
  ])('%s is in a secure value and nowhere else in the body', (_, container) => {
    const { body } = translated(withContainer(container), references);
    const values = variablesOf(body);
    expect(values.filter(({ secureValue }) => secureValue?.includes('hunter2')).length).toBeGreaterThan(0);
    const others = {
      ...body,
      containers: [{ environmentVariables: values.map(({ name, value }) => ({ name, value })) }],
    };
    expect(JSON.stringify(others)).not.toContain('hunter2');
  });
});

describe('a ServiceAccount token (azure-aci#155, #543)', () => {
  const projected = mounted({
    projected: {
      sources: [
        { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
      ],
    },
  });

  it('is asked for as TokenRequest, bound to the pod, and mounted with authority and namespace', () => {
    const pod = podOf(projected);
    expect(listReferences(pod, facts).tokens).toHaveLength(1);
    const { body } = translated(
      pod,
      resolved({
        tokens: [{ value: 'jwt', lifetimeSeconds: 31_536_000 }],
        configMaps: { 'kube-root-ca.crt': configMap({ 'ca.crt': 'PEM' }) },
      }),
    );
    expect(body.volumes).toEqual([
      { name: 'data', secret: { token: base64('jwt'), 'ca.crt': base64('PEM'), namespace: base64('shop') } },
    ]);
  });
});

describe('the downward API (AKS#2427, azure-aci#148)', () => {
  it('refuses the address, which nobody knows before the group is made, by its field', () => {
    const pod = withContainer({ env: [{ name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }] });
    expect(inspectPod(pod, inSubnet).refusals.map(({ field }) => field)).toEqual([
      'spec.containers[0].env[0].valueFrom.fieldRef',
    ]);
  });

  it('knows resources, the node and the account', () => {
    const { body } = translated(
      withContainer({
        resources: { limits: { cpu: '1500m' } },
        env: [
          { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
          { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
          { name: 'ACCOUNT', valueFrom: { fieldRef: { fieldPath: 'spec.serviceAccountName' } } },
        ],
      }),
    );
    expect(Object.fromEntries(variablesOf(body).map(({ name, value }) => [name, value]))).toMatchObject({
      CPU: '1500',
      NODE: 'aci-1',
      ACCOUNT: 'default',
    });
  });
});

describe('resources (azure-aci#149, AKS#2373)', () => {
  it('are never less than what was asked for', () => {
    const { body } = translated(
      withContainer({
        resources: { requests: { cpu: '1001m', memory: '1025Mi' }, limits: { cpu: '1001m', memory: '1025Mi' } },
      }),
    );
    const requests = body.containers[0]?.resources.requests;
    expect(requests?.cpu).toBeGreaterThanOrEqual(1.001);
    expect((requests?.memoryInGB ?? 0) * 1e9).toBeGreaterThanOrEqual(1025 * 2 ** 20);
  });

  it('have limits within what the group requests, and the pod is told', () => {
    const { body, notices } = translated(
      withContainer({ resources: { requests: { cpu: '1', memory: '1G' }, limits: { cpu: '4', memory: '8G' } } }),
    );
    const { requests, limits } = body.containers[0]?.resources ?? { requests: { cpu: 0, memoryInGB: 0 } };
    expect(limits).toEqual(requests);
    expect(notices.map(({ reason }) => reason)).toEqual(['LimitAboveGroup']);
  });
});

describe('a volume (azure-docs#36947, #54442)', () => {
  const settings = { 'app.ini': 'a', other: 'b' };
  const references = resolved({ configMaps: { settings: configMap(settings) }, secrets: { s: secret({ k: 'v' }) } });
  const filesOf = (source: Raw) => translated(podOf(mounted(source)), references).body.volumes;

  it.each<[string, Raw, Record<string, string>]>([
    ['of all keys', { configMap: { name: 'settings' } }, { 'app.ini': base64('a'), other: base64('b') }],
    [
      'of items by their paths',
      { configMap: { name: 'settings', items: [{ key: 'other', path: 'x.conf' }] } },
      { 'x.conf': base64('b') },
    ],
    ['of a Secret’s item', { secret: { secretName: 's', items: [{ key: 'k', path: 'y' }] } }, { y: base64('v') }],
  ])('%s has these files', (_, source, files) => {
    expect(filesOf(source)).toEqual([{ name: 'data', secret: files }]);
  });

  it('of what is optional and not there is empty', () => {
    expect(filesOf({ configMap: { name: 'missing', optional: true } })).toEqual([{ name: 'data', emptyDir: {} }]);
  });

  it.each<[string, Raw, string]>([
    ['a missing ConfigMap', { configMap: { name: 'missing' } }, 'configmap "missing" not found'],
    [
      'a missing key',
      { configMap: { name: 'settings', items: [{ key: 'none', path: 'a' }] } },
      'references non-existent config key: none',
    ],
  ])('waits for %s as a kubelet does', (_, source, message) => {
    expect(translatePod(podOf(mounted(source)), facts, references)).toMatchObject({
      kind: 'waiting',
      reason: 'FailedMount',
      message: expect.stringContaining(message),
    });
  });

  it('whose file would be mounted alone is refused by its field (subPath)', () => {
    const spec = {
      volumes: [{ name: 'data', configMap: { name: 'settings' } }],
      containers: [rawContainer({ volumeMounts: [{ name: 'data', mountPath: '/etc/app.ini', subPath: 'app.ini' }] })],
    };
    expect(inspectPod(podOf(spec), facts).refusals.map(({ field }) => field)).toEqual([
      'spec.containers[0].volumeMounts[0].subPath',
    ]);
  });
});

describe('args without a command (azure-aci#10)', () => {
  it('follow the entrypoint of the image, which is asked for', () => {
    const pod = withContainer({ image: 'worker:1', args: ['--queue', 'mail'] });
    expect(imageReferences(pod, facts, resolved())).toEqual([{ image: 'worker:1', isAlways: true }]);
    const config = {
      digest: `sha256:${'a'.repeat(64)}`,
      entrypoint: ['/worker'],
      cmd: [],
      env: {},
      workingDir: '',
      user: '',
    };
    const { body } = translated(pod, resolved({ images: { 'worker:1': { ok: true, value: config } } }));
    expect(body.containers[0]?.command).toEqual(['/worker', '--queue', 'mail']);
  });
});

describe('no credential of the app (azure-aci#586, kube-proxy’s kubeconfig)', () => {
  it('is in a group: what it has of identities, accounts and extensions is what the pod and its operator named', () => {
    const { body } = translated(podOf(), resolved(), inSubnet);
    expect(body.identity).toBeUndefined();
    expect(body.imageRegistryCredentials).toEqual([]);
    expect(body.extensions).toEqual([{ name: 'realtime-metrics', extensionType: 'realtime-metrics', version: '1.0' }]);
    expect(body.volumes).toEqual([]);
  });
});
