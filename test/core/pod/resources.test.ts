import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inspectPod } from '../../../shared/core/pod/inspect.ts';
import { allocate } from '../../../shared/core/pod/resources.ts';
import { facts, podOf, rawContainer } from './fixtures.ts';
import type { Raw } from './fixtures.ts';

const pod = (containers: Raw[], init: Raw[] = []) =>
  podOf({
    containers: containers.map((resources, index) => rawContainer({ name: `c${index}`, resources })),
    initContainers: init.map((resources, index) => rawContainer({ name: `i${index}`, resources })),
  });

const requests = (cpu: string, memory: string): Raw => ({ requests: { cpu, memory } });
const size = (cpu: number, memoryInGB: number) => ({ cpu, memoryInGB });

it('a group that would pass the largest one by the step that fixes binary sums is refused', () => {
  const container = (name: string, memory?: string) =>
    rawContainer({ name, resources: memory === undefined ? {} : { requests: { memory } } });
  const pod = podOf({
    containers: [container('a'), container('b'), container('c', '1.5Gi')],
    initContainers: [container('i', '240G')],
  });
  expect(inspectPod(pod, facts).refusal).toMatchObject({
    reason: 'OutOfmemory',
    field: 'spec.containers[*].resources.requests.memory',
  });
});

describe('resources', () => {
  it.each<[string, Raw[], Raw[], { cpu: number; memoryInGB: number }[]]>([
    ['a container that asks for nothing gets the smallest group', [{}], [], [size(1, 1)]],
    ['what is asked for is rounded up', [requests('1501m', '2Gi')], [], [size(1.51, 2.2)]],
    ['a small request is raised to the smallest group', [requests('100m', '128Mi')], [], [size(1, 1)]],
    [
      'the first container gets what is missing',
      [requests('100m', '100M'), requests('200m', '300M')],
      [],
      [size(0.8, 0.7), size(0.2, 0.3)],
    ],
    [
      'containers that ask for nothing have a little',
      [{}, {}, {}],
      [],
      [size(0.8, 0.8), size(0.1, 0.1), size(0.1, 0.1)],
    ],
    ['a limit is a request where there is none', [{ limits: { cpu: '2', memory: '3G' } }], [], [size(2, 3)]],
    [
      'nothing is less than the smallest step',
      [requests('2', '2G'), requests('0', '0')],
      [],
      [size(2, 2), size(0.01, 0.1)],
    ],
    [
      'a group holds its largest init container',
      [requests('1', '1G')],
      [requests('2', '1G'), requests('1', '4G')],
      [size(2, 4)],
    ],
    ['init containers do not add up', [requests('3', '3G')], [requests('2', '2G'), requests('2', '2G')], [size(3, 3)]],
  ])('%s', (_, containers, init, expected) => {
    expect(allocate(pod(containers, init)).containers.map((container) => container.requests)).toEqual(expected);
  });

  it.each<[string, Raw[], { cpu: number; memoryInGB: number }[]]>([
    [
      'without a limit a container may use the whole group',
      [requests('1', '1G'), requests('2', '2G')],
      [size(3, 3), size(3, 3)],
    ],
    [
      'a limit below the total is kept',
      [requests('2', '2G'), { requests: { cpu: '500m', memory: '1G' }, limits: { cpu: '1', memory: '2G' } }],
      [size(2.5, 3), size(1, 2)],
    ],
    [
      'a limit above the total is lowered to it',
      [{ requests: { cpu: '1', memory: '1G' }, limits: { cpu: '8', memory: '8G' } }],
      [size(1, 1)],
    ],
    [
      'a limit below a request that was raised is raised with it',
      [{ requests: { cpu: '100m', memory: '100M' }, limits: { cpu: '200m', memory: '200M' } }],
      [size(1, 1)],
    ],
  ])('%s', (_, containers, expected) => {
    expect(allocate(pod(containers)).containers.map((container) => container.limits)).toEqual(expected);
  });

  it('are such that ACI takes them, whatever was asked for', () => {
    const cpu = fc.constantFrom('0', '1m', '70m', '100m', '250m', '333m', '1', '1.5', '7');
    const memory = fc.constantFrom('0', '100k', '128Mi', '300M', '700M', '1Gi', '3G');
    const map = fc.record({ cpu, memory }, { requiredKeys: [] });
    const resources = fc.record({ requests: map, limits: map }, { requiredKeys: [] });
    const containers = fc.array(resources, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(containers, fc.array(resources, { maxLength: 3 }), (main, init) => {
        const all = allocate(pod(main, init)).containers;
        // Added as a server that has only binary fractions would.
        const cores = all.reduce((sum, { requests }) => sum + requests.cpu, 0);
        const gigabytes = all.reduce((sum, { requests }) => sum + requests.memoryInGB, 0);
        expect(cores).toBeGreaterThanOrEqual(1);
        expect(gigabytes).toBeGreaterThanOrEqual(1);
        for (const { requests, limits } of all) {
          expect(requests.cpu).toBeGreaterThanOrEqual(0.01);
          expect(requests.memoryInGB).toBeGreaterThanOrEqual(0.1);
          expect(limits.cpu).toBeGreaterThanOrEqual(requests.cpu);
          expect(limits.memoryInGB).toBeGreaterThanOrEqual(requests.memoryInGB);
          expect(limits.cpu).toBeLessThanOrEqual(cores);
          expect(limits.memoryInGB).toBeLessThanOrEqual(gigabytes);
        }
      }),
      { numRuns: 500 },
    );
  });
});
