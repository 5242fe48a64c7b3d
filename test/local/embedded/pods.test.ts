import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../shared/core/json.ts';
import { messageOf, podManifest, testCluster, messageOrOk, seen, valueOf } from './cluster.ts';

describe('a new pod', () => {
  it('has what the API server and admission add', () => {
    const world = testCluster();
    const pod = seen(world.create('pods', podManifest('p')));
    expect(pod).toMatchObject({
      metadata: { generation: 1, creationTimestamp: '2026-11-23T12:00:00Z' },
      spec: {
        restartPolicy: 'Always',
        dnsPolicy: 'ClusterFirst',
        schedulerName: 'default-scheduler',
        terminationGracePeriodSeconds: 30,
        serviceAccountName: 'default',
        enableServiceLinks: true,
        priority: 0,
        containers: [{ imagePullPolicy: 'Always', terminationMessagePath: '/dev/termination-log', resources: {} }],
        tolerations: [
          { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute', tolerationSeconds: 300 },
          { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', tolerationSeconds: 300 },
        ],
      },
      status: { phase: 'Pending', qosClass: 'BestEffort' },
    });
    const [volume] = pod.spec.volumes;
    expect(volume?.name).toMatch(/^kube-api-access-[0-9a-f]{5}$/);
    expect(volume?.projected.sources[0]).toEqual({
      serviceAccountToken: { expirationSeconds: 3607, path: 'token' },
    });
    expect(pod.spec.containers[0]?.volumeMounts).toEqual([
      { name: volume?.name, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
    ]);
  });

  it.each([
    ['its own word', { automountServiceAccountToken: false }],
    [
      'a volume of its own there',
      {
        volumes: [{ name: 'v', emptyDir: {} }],
        containers: [
          {
            name: 'main',
            image: 'i',
            volumeMounts: [{ name: 'v', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }],
          },
        ],
      },
    ],
  ])('has no token by %s', (_, spec: JsonObject) => {
    const pod = seen(testCluster().create('pods', podManifest('p', spec)));
    expect(JSON.stringify(pod.spec)).not.toContain('kube-api-access');
  });

  it('of an unknown ServiceAccount or PriorityClass is refused', () => {
    const world = testCluster();
    expect(messageOf(world.create('pods', podManifest('p', { serviceAccountName: 'x' })))).toContain(
      'error looking up service account default/x',
    );
    expect(messageOf(world.create('pods', podManifest('p', { priorityClassName: 'x' })))).toContain('no PriorityClass');
  });

  it.each<[string, JsonObject, string]>([
    ['BestEffort', {}, 'BestEffort'],
    ['Burstable', { requests: { cpu: '1' } }, 'Burstable'],
    ['Guaranteed', { limits: { cpu: '1', memory: '1Gi' } }, 'Guaranteed'],
  ])('is %s by its resources', (_, resources, qos) => {
    const containers = [{ name: 'main', image: 'i', resources }];
    const pod = seen(testCluster().create('pods', podManifest('p', { containers })));
    expect(pod.status.qosClass).toBe(qos);
  });

  const bad: readonly [string, JsonObject][] = [
    ['spec.containers: Required value', { containers: [] }],
    ['spec.containers[0].image: Required value', { containers: [{ name: 'main' }] }],
    ['spec.containers[0].name: Invalid value: "A_b"', { containers: [{ name: 'A_b', image: 'i' }] }],
    [
      'spec.containers[1].name: Duplicate value: "a"',
      {
        containers: [
          { name: 'a', image: 'i' },
          { name: 'a', image: 'i' },
        ],
      },
    ],
    ['spec.restartPolicy: Unsupported value: "Sometimes"', { restartPolicy: 'Sometimes' }],
    [
      'spec.containers[0].volumeMounts[0].name: Not found: "v"',
      { containers: [{ name: 'a', image: 'i', volumeMounts: [{ name: 'v', mountPath: '/v' }] }] },
    ],
    [
      'spec.containers[0].resources.requests[cpu]: Invalid value: "much"',
      { containers: [{ name: 'a', image: 'i', resources: { requests: { cpu: 'much' } } }] },
    ],
    ['spec.terminationGracePeriodSeconds: Invalid value: -1', { terminationGracePeriodSeconds: -1 }],
    ['spec.activeDeadlineSeconds: Invalid value: 0', { activeDeadlineSeconds: 0 }],
    ['spec: Invalid value', { containers: [{ name: 'a', image: 'i', command: 'ls' }] }],
  ];
  it.each(bad)('is refused with 422: %s', (message, spec) => {
    const refused = testCluster().create('pods', podManifest('p', spec));
    expect(messageOrOk(refused)).toBe('422 Invalid');
    expect(messageOf(refused)).toContain(message);
  });
});

describe('a pod that exists', () => {
  const bound = () => {
    const world = testCluster();
    const pod = seen(world.create('pods', podManifest('p', { nodeName: 'n' })));
    return { ...world, pod };
  };

  it('may change its image, which gives a generation; and little else', () => {
    const world = bound();
    valueOf(world.patch('pods', 'p', { spec: { containers: [{ name: 'main', image: 'other' }] } }));
    expect(world.get('pods', 'p').metadata.generation).toBe(2);
    expect(messageOf(world.patch('pods', 'p', { spec: { restartPolicy: 'Never' } }))).toContain(
      'pod updates may not change',
    );
    expect(messageOrOk(world.patch('pods', 'p', { metadata: { labels: { a: 'b' } } }))).toBe('ok');
    expect(world.get('pods', 'p').metadata.generation).toBe(2);
  });

  it('keeps status and the rest apart', () => {
    const world = bound();
    valueOf(world.patch('pods', 'p', { status: { phase: 'Failed' }, metadata: { labels: { a: 'b' } } }));
    expect(world.get('pods', 'p').status.phase).toBe('Pending');
    const status = { subresource: 'status' };
    valueOf(world.patch('pods', 'p', { status: { phase: 'Running' }, spec: { nodeName: 'other' } }, status));
    expect(world.get('pods', 'p')).toMatchObject({ status: { phase: 'Running' }, spec: { nodeName: 'n' } });
  });

  const terminated = (exitCode: number) => ({
    status: { containerStatuses: [{ name: 'main', state: { terminated: { exitCode } } }] },
  });
  const running = { status: { containerStatuses: [{ name: 'main', state: { running: {} } }] } };
  it.each([
    ['Never', 0, '422 Invalid'],
    ['Never', 3, '422 Invalid'],
    ['OnFailure', 0, '422 Invalid'],
    ['OnFailure', 3, 'ok'],
    ['Always', 0, 'ok'],
  ])('with restartPolicy %s does not come back to life after %i: %s', (restartPolicy, exitCode, reported) => {
    const world = testCluster();
    valueOf(world.create('pods', podManifest('p', { restartPolicy })));
    valueOf(world.patch('pods', 'p', terminated(exitCode), { subresource: 'status' }));
    expect(messageOrOk(world.patch('pods', 'p', running, { subresource: 'status' }))).toBe(reported);
  });

  it('is deleted gracefully, sooner if asked again, never later', () => {
    const world = bound();
    valueOf(world.delete('pods', 'p'));
    const first = world.get('pods', 'p').metadata;
    expect(first).toMatchObject({
      deletionTimestamp: '2026-11-23T12:00:30Z',
      deletionGracePeriodSeconds: 30,
      generation: 2,
    });
    valueOf(world.delete('pods', 'p', { gracePeriodSeconds: 60 }));
    expect(world.get('pods', 'p').metadata).toEqual(first);
    valueOf(world.delete('pods', 'p', { gracePeriodSeconds: 10 }));
    expect(world.get('pods', 'p').metadata).toMatchObject({ deletionGracePeriodSeconds: 10, generation: 2 });
    expect(valueOf(world.delete('pods', 'p', { gracePeriodSeconds: 0 })).isGone).toBe(true);
    expect(world.get('pods', 'p')).toBeUndefined();
  });

  it.each([
    ['that is bound nowhere', podManifest('p'), undefined],
    ['that has ended', podManifest('p', { nodeName: 'n' }), 'Succeeded'],
  ])('%s goes at once', (_, manifest, phase) => {
    const world = testCluster();
    valueOf(world.create('pods', manifest));
    if (phase !== undefined) valueOf(world.patch('pods', 'p', { status: { phase } }, { subresource: 'status' }));
    expect(valueOf(world.delete('pods', 'p')).isGone).toBe(true);
  });
});
