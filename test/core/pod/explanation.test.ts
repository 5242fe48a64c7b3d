import { describe, expect, it } from 'vitest';
import { compatibilityTable } from '../../../shared/core/pod/compatibility.ts';
import { explainPod } from '../../../shared/core/pod/explanation.ts';
import { placeholderReferences } from '../../../shared/core/pod/placeholders.ts';
import { fieldPattern, refusedField, refusedFields, valueAtField } from '../../../shared/core/pod/refused-fields.ts';
import { inspectPod } from '../../../shared/core/pod/inspect.ts';
import { nothingKnown } from '../../fixtures/known.ts';
import { facts, podOf, rawContainer, subnetId, withContainer } from './fixtures.ts';
import type { Raw } from './fixtures.ts';
import type { Pod } from '../../../shared/core/kubernetes/pod.ts';

const inSubnet = { ...facts, subnetId };
const explain = (pod: Pod) =>
  explainPod({ pod, written: pod.rawSpec, facts: inSubnet, resolved: placeholderReferences(pod, facts, nothingKnown) });

const withProbe = (name: string, probe: Raw): Pod => withContainer({ [name]: probe });
const hostAliases = [{ ip: '10.0.0.4', hostnames: ['a'] }];
const http = { path: '/', port: 80 };

describe('all that is refused of a pod', () => {
  it('is reported, field by field, where the status reports the first', () => {
    const pod = podOf({
      hostNetwork: true,
      volumes: [{ name: 'v', hostPath: { path: '/' } }],
      containers: [rawContainer({ tty: true, env: [{ name: 'a.b', value: '' }] })],
    });
    const { refusal, refusals } = inspectPod(pod, facts);
    const fields = [
      'spec.hostNetwork',
      'spec.containers[0].tty',
      'spec.volumes[0].hostPath',
      'spec.containers[0].env[0].name',
    ];
    expect(refusals.map(({ field }) => field).toSorted()).toEqual(fields.toSorted());
    expect(refusal?.field).toBe(refusals[0]?.field);
    expect(
      explain(pod)
        .refusals.map(({ field }) => field)
        .toSorted(),
    ).toEqual(fields.toSorted());
  });

  it('has also what shows only with the references, beside what the spec shows', () => {
    const pod = withContainer({
      tty: true,
      env: [{ name: 'S', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }],
      command: ['x', '$(S)'],
    });
    expect(explain(pod).refusals.map(({ field }) => field)).toEqual([
      'spec.containers[0].tty',
      'spec.containers[0].command[1]',
    ]);
  });

  it('is reported once where it is waited for in vain', () => {
    const { verdict, refusals, notices } = explain(
      withContainer({ securityContext: { runAsUser: 0, runAsNonRoot: true } }),
    );
    expect([verdict, refusals.map(({ reason }) => reason)]).toEqual(['refused', ['CreateContainerConfigError']]);
    expect(notices.map(({ reason }) => reason)).not.toContain('CreateContainerConfigError');
  });

  it('has an image that no pull can bring', () => {
    expect(explain(withContainer({ image: 'A:1' })).refusals).toMatchObject([
      { reason: 'InvalidImageName', field: 'spec.containers[0].image' },
    ]);
  });
});

describe('the tier of a pod', () => {
  it.each<[string, Pod, string | undefined]>([
    ['is T0 when it runs', podOf(), 'T0'],
    ['is T1 where the agent prepares', podOf({ hostAliases }), 'T1'],
    ['is T2 where it stays', withContainer({ tty: true }, { hostAliases }), 'T2'],
    ['is none where nothing helps', podOf({ hostAliases, hostNetwork: true }), undefined],
    ['liveness by exec needs no agent', withProbe('livenessProbe', { exec: { command: ['x'] } }), 'T0'],
    ['nor does httpGet', withProbe('livenessProbe', { httpGet: http }), 'T0'],
    [
      'headers do',
      withProbe('livenessProbe', { httpGet: { ...http, httpHeaders: [{ name: 'a', value: 'b' }] } }),
      'T2',
    ],
    ['tcp does for liveness', withProbe('livenessProbe', { tcpSocket: { port: 80 } }), 'T2'],
    ['and not for readiness', withProbe('readinessProbe', { tcpSocket: { port: 80 } }), 'T0'],
    ['exec does for readiness', withProbe('readinessProbe', { exec: { command: ['x'] } }), 'T2'],
    ['startup always does', withProbe('startupProbe', { httpGet: http }), 'T2'],
    [
      'the address of the pod is known inside',
      withContainer({ env: [{ name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }] }),
      'T1',
    ],
    [
      'a field that nobody knows is not',
      withContainer({ env: [{ name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.no' } } }] }),
      undefined,
    ],
    ['a GPU is nowhere', withContainer({ resources: { limits: { 'nvidia.com/gpu': '1' } } }), undefined],
  ])('%s', (_, pod, tier) => expect(explain(pod).tier).toBe(tier));
});

describe('what a container gets', () => {
  it('is named where it is not what was asked for', () => {
    const resources = { requests: { cpu: '100m', memory: '1G' } };
    const pod = podOf({
      containers: [
        rawContainer({ resources }),
        rawContainer({ name: 'two', resources: { requests: { cpu: '1500m', memory: '1Gi' } } }),
        rawContainer({ name: 'three' }),
      ],
      initContainers: [rawContainer({ name: 'first' })],
    });
    const { containers, size } = explain(pod);
    expect(containers.map(({ name, rounded }) => [name, rounded])).toEqual([
      ['first', []],
      ['main', []],
      ['two', ['memory']],
      ['three', ['cpu', 'memory']],
    ]);
    expect(size).toEqual({ cpu: 1.7, memoryInGB: 2.2 });
  });
});

describe('placeholders', () => {
  it('let every reference be found, and hold no content', () => {
    const pod = podOf({
      imagePullSecrets: [{ name: 'pull' }],
      volumes: [
        { name: 'a', configMap: { name: 'c', items: [{ key: 'k', path: 'f' }] } },
        { name: 'b', secret: { secretName: 'whole' } },
        { name: 't', projected: { sources: [{ serviceAccountToken: { path: 't', audience: 'vault' } }] } },
      ],
      containers: [
        rawContainer({
          envFrom: [{ secretRef: { name: 's' } }],
          env: [{ name: 'E', valueFrom: { configMapKeyRef: { name: 'c', key: 'e' } } }],
          volumeMounts: ['a', 'b', 't'].map((name) => ({ name, mountPath: `/${name}` })),
        }),
      ],
    });
    const { verdict, body, notices } = explain(pod);
    expect(verdict).toBe('runs with notes');
    expect(notices.map(({ reason }) => reason)).toEqual(['TokenNotRenewed']);
    expect(body?.containers[0]?.environmentVariables.slice(0, 2)).toEqual([
      { name: 'EACH_KEY_OF_S', secureValue: '<Secret s, key EACH_KEY_OF_S>' },
      { name: 'E', value: '<ConfigMap c, key e>' },
    ]);
    expect(body?.imageRegistryCredentials).toHaveLength(1);
  });

  it('leave what is known as it is: a key that it lacks is waited for', () => {
    const pod = withContainer({ env: [{ name: 'E', valueFrom: { configMapKeyRef: { name: 'c', key: 'e' } } }] });
    const known = new Map([['c', { data: { other: '' }, binaryData: {} }]]);
    const resolved = placeholderReferences(pod, facts, { ...nothingKnown, configMaps: known });
    const { verdict, notices, body } = explainPod({ pod, written: pod.rawSpec, facts, resolved });
    expect([verdict, notices.map(({ reason }) => reason), body]).toEqual([
      'runs with notes',
      ['CreateContainerConfigError'],
      undefined,
    ]);
  });
});

describe('the table of refused fields', () => {
  const known = new Set(compatibilityTable.map(({ path }) => path));
  /** Rules judge more than the table: the arguments, values of names and ports, paths of files. */
  const ofRules = /\.(args\[\]|command\[\]|readinessProbe|resources\.(requests|limits)\.\*)$/;

  it('names fields that the compatibility table has, or that a rule judges', () => {
    const strange = refusedFields.map(({ path }) => path).filter((path) => !known.has(path) && !ofRules.test(path));
    expect(strange).toEqual([]);
  });

  it('has a way out for each field that the compatibility table refuses, but for these', () => {
    const refused = compatibilityTable.filter(({ verdict }) => verdict === 'refused').map(({ path }) => path);
    const without = refused.filter((path) => !refusedFields.some((row) => row.path === path));
    expect(without).toMatchSnapshot();
  });

  it.each([
    ['spec.containers[0].env[12].name', 'spec.containers[].env[].name'],
    ['spec.containers[*].ports', 'spec.containers[].ports'],
    ['spec.containers[1].resources.limits[nvidia.com/gpu]', 'spec.containers[].resources.limits.*'],
  ])('finds %s as %s', (field, pattern) => expect(fieldPattern(field)).toBe(pattern));

  it('is asked with the value of the field', () => {
    const env = [
      { name: 'A', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'B', valueFrom: { fieldRef: { fieldPath: 'status.no' } } },
    ];
    const spec = { containers: [{ env, resources: { limits: { 'nvidia.com/gpu': '1' } } }] };
    expect(refusedField('spec.containers[0].env[0].valueFrom.fieldRef', spec)?.wayOut).toContain('hostname -i');
    expect(refusedField('spec.containers[0].env[1].valueFrom.fieldRef', spec)).toBeUndefined();
    expect(refusedField('spec.containers[0].colour', spec)).toBeUndefined();
    expect(valueAtField(spec, 'spec.containers[0].resources.limits[nvidia.com/gpu]')).toBe('1');
  });

  it.each<[string, string | undefined]>([
    ['spec.containers[0].resources.limits.hugepages-2Mi', 'run it on an ordinary node that has it'],
    ['spec.volumes[0].csi.volumeAttributes.protocol', 'leave the attribute out'],
    ['spec.containers[0].resources.requests.memory', undefined],
  ])('knows the way out of %s: %s', (field, wayOut) => expect(refusedField(field, {})?.wayOut).toBe(wayOut));
});
