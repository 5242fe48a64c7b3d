import { describe, expect, it } from 'vitest';
import { canonicalJson, specHash } from '../../../shared/core/pod/spec-hash.ts';
import { tagNames } from '../../../shared/core/group/identity.ts';
import { facts, podOf, rawContainer, resolved, subnetId, translated, withContainer } from './fixtures.ts';

const inSubnet = { ...facts, subnetId };

describe('the address of a group', () => {
  it('is private and has the ports of all containers, each number once', () => {
    const pod = podOf({
      containers: [
        rawContainer({
          ports: [{ containerPort: 80 }, { containerPort: 80, name: 'again' }, { containerPort: 53, protocol: 'UDP' }],
        }),
        rawContainer({ name: 'two', ports: [{ containerPort: 53, protocol: 'TCP' }] }),
      ],
    });
    const { body } = translated(pod, resolved(), inSubnet);
    expect(body.ipAddress).toEqual({
      type: 'Private',
      ports: [
        { port: 80, protocol: 'TCP' },
        { port: 53, protocol: 'UDP' },
      ],
    });
    expect(body.containers.map(({ ports }) => ports.length)).toEqual([2, 0]);
    expect(body.subnetIds).toEqual([{ id: subnetId }]);
  });

  it('is there without ports too, because a pod has an address', () => {
    const { body } = translated(podOf(), resolved(), inSubnet);
    expect(body.ipAddress).toEqual({ type: 'Private', ports: [{ port: 80, protocol: 'TCP' }] });
    expect(body.containers[0]?.ports).toEqual([{ port: 80, protocol: 'TCP' }]);
  });

  it('is never public', () => {
    const { body, notices } = translated(withContainer({ ports: [{ containerPort: 80 }] }));
    expect(body.ipAddress).toBeUndefined();
    expect(body.subnetIds).toBeUndefined();
    expect(body.containers[0]?.ports).toEqual([]);
    expect(notices.map(({ reason }) => reason)).toEqual(['PortsUnreachable']);
  });
});

describe('the place and the name of a group', () => {
  it('are those of the node and the pod', () => {
    const { body } = translated(podOf(), resolved(), { ...facts, zone: '2' });
    expect(body.location).toBe('westeurope');
    expect(body.zones).toEqual(['2']);
    expect(body.tags).toMatchObject({
      [tagNames.node]: 'aci-1',
      [tagNames.uid]: 'b7a0f6d2-0000-4000-8000-000000000002',
      [tagNames.name]: 'web',
    });
  });

  it.each(['Always', 'OnFailure', 'Never'])('restart as the pod says: %s', (restartPolicy) => {
    expect(translated(podOf({ restartPolicy })).body.restartPolicy).toBe(restartPolicy);
  });
});

describe('the hash of a spec', () => {
  const hash = specHash(podOf(), facts);

  it('is 32 hexadecimal digits and is in the tags', () => {
    expect(hash).toMatch(/^[0-9a-f]{32}$/);
    expect(translated(podOf()).body.tags[tagNames.specHash]).toBe(hash);
  });

  it.each([
    ['another image', podOf({ containers: [rawContainer({ image: 'other' })] }), facts],
    ['another policy', podOf({ restartPolicy: 'Never' }), facts],
    ['another zone', podOf(), { ...facts, zone: '1' }],
    ['another network', podOf(), inSubnet],
    ['another API server', podOf(), { ...facts, apiServer: { host: 'b', port: 1 } }],
  ])('changes with %s', (_, pod, nodeFacts) => {
    expect(specHash(pod, nodeFacts)).not.toBe(hash);
  });

  it.each([
    ['tolerations', podOf({ tolerations: [] })],
    ['a debug container', podOf({ ephemeralContainers: [{ name: 'debug' }] })],
    ['a deadline', podOf({ activeDeadlineSeconds: 5 })],
    ['labels', podOf({}, { labels: { a: 'b' } })],
    ['the tier, which the app writes', podOf({}, { annotations: { 'serverless-kubelet.io/tier': 'T1' } })],
  ])('does not change with %s', (_, pod) => {
    expect(specHash(pod, facts)).toBe(hash);
  });

  it('does not depend on the order of keys', () => {
    expect(canonicalJson({ b: 1, a: [{ d: null, c: 'x' }] })).toBe(canonicalJson({ a: [{ c: 'x', d: null }], b: 1 }));
  });
});
