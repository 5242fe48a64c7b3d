import { describe, expect, it } from 'vitest';
import type { GroupWishes } from '../../../shared/core/pod/annotations/wishes.ts';
import { realtimeMetrics } from '../../../shared/core/pod/realtime-metrics.ts';
import { specHash } from '../../../shared/core/pod/spec-hash.ts';
import { translatePod } from '../../../shared/core/pod/translate.ts';
import type { NodeFacts } from '../../../shared/core/pod/translation.ts';
import { formatGroup } from '../../../shared/wire/arm/group-request.ts';
import { facts as base, podOf, resolved, subnetId } from './fixtures.ts';

const plain: GroupWishes = { identities: [] };
const facts: NodeFacts = { ...base, subnetId };
const annotation = 'microsoft.containerinstance.virtualnode.injectrealtimemetrics';
const annotated = (value: string) => {
  const pod = podOf({});
  return { ...pod, metadata: { ...pod.metadata, annotations: { [annotation]: value } } };
};

describe("ACI's realtime-metrics", () => {
  it('is in every group in a subnet, with its name, type and version alone', () => {
    const made = translatePod(podOf({}), facts, resolved({}));
    if (made.kind !== 'group') throw new Error(made.message);
    expect(formatGroup(made.body)).toMatchObject({
      properties: {
        extensions: [{ name: 'realtime-metrics', properties: { extensionType: 'realtime-metrics', version: '1.0' } }],
      },
    });
    expect(JSON.stringify(formatGroup(made.body))).not.toContain('rotectedSettings');
  });

  it.each<[string, Partial<NodeFacts>, Partial<GroupWishes>]>([
    ['outside of every subnet', { realtimeMetrics: true }, {}],
    ['where a setting is against it', { subnetId, realtimeMetrics: false }, {}],
    ['where nothing is said of it', { subnetId }, {}],
    ['by annotation', { subnetId, realtimeMetrics: true }, { realtimeMetrics: false }],
    ['in a Confidential group', { subnetId, realtimeMetrics: true }, { sku: 'Confidential' }],
    ['in a group with a policy', { subnetId, realtimeMetrics: true }, { ccePolicy: 'cG9saWN5' }],
  ])('is not there %s', (_, place, wishes) => {
    expect(realtimeMetrics(place, { ...plain, ...wishes })).toEqual([]);
  });

  it('goes by the annotation of the pod, as kube-proxy does', () => {
    const bodyOf = (value: string) => {
      const made = translatePod(annotated(value), facts, resolved({}));
      return made.kind === 'group' ? made.body.extensions : made;
    };
    expect(bodyOf('false')).toBeUndefined();
    expect(bodyOf('True')).toHaveLength(1);
    expect(bodyOf('no')).toMatchObject({ kind: 'refused' });
  });

  it('changes nothing that a group which runs is known by', () => {
    const pod = podOf({});
    const off = { ...facts, realtimeMetrics: false };
    expect(specHash(pod, facts)).toBe(specHash(pod, off));
    const [on, without] = [facts, off].map((one) => {
      const made = translatePod(pod, one, resolved({}));
      return made.kind === 'group' ? made.body.tags : made;
    });
    expect(on).toEqual(without);
  });
});
