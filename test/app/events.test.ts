import { describe, expect, it } from 'vitest';
import { expireEvents } from '../../infra/local/sim/api-server/event-recorder.ts';
import type { Deps } from '../../shared/app/deps.ts';
import { fail } from '../../shared/core/fault.ts';
import type { KubeEvent } from '../../shared/core/kubernetes/event.ts';
import type { JsonObject } from '../../shared/core/json.ts';
import { nameOf, namespaceOf } from '../../infra/local/sim/api-server/json-access.ts';
import { events } from '../../infra/local/sim/api-server/resources.ts';
import { createWorld } from './world.ts';
import type { World } from './world.ts';

/** What `kubectl describe` showed of the pod at each minute, and every event object that there ever was. */
interface Watched {
  readonly shown: readonly (readonly string[])[];
  readonly objects: ReadonlyMap<string, KubeEvent>;
}

/** Two hours, in which the API server drops each event an hour after its last writing. */
async function watch(world: World, minutes = 120): Promise<Watched> {
  const shown: string[][] = [];
  const objects = new Map<string, KubeEvent>();
  for (let minute = 0; minute < minutes; minute += 1) {
    await world.run(60);
    expireEvents(world.cluster.state());
    const events = world.cluster.events();
    for (const event of events) objects.set(event.dedupeKey, event);
    shown.push(
      events.map(
        ({ type, reason, message, involved: { fieldPath = '' } }) => `${type} ${reason} ${fieldPath}: ${message}`,
      ),
    );
  }
  return { shown, objects };
}

/** The minutes, from the second on, at which one of these was missing. */
const silentMinutes = ({ shown }: Watched, ...reported: readonly string[]): readonly number[] =>
  shown.flatMap((events, minute) =>
    minute > 1 && reported.some((start) => !events.some((event) => event.startsWith(start))) ? [minute] : [],
  );

const countsOf = ({ objects }: Watched, reason: string): readonly number[] =>
  [...objects.values()].filter((event) => event.reason === reason).map(({ count = 1 }) => count);

const always = { restartPolicy: 'Always' };
const withMain = (more: JsonObject, spec: JsonObject = {}): JsonObject => ({
  containers: [{ name: 'main', image: 'serves', ...more }],
  ...spec,
});

/** ARM refuses each PUT in other words. */
const refusing =
  (code: string) =>
  (deps: Deps): Deps => {
    let tries = 0;
    const createOrUpdate = async () => {
      tries += 1;
      const id = `5d0e6b0c-0000-4000-8000-${String(tries).padStart(12, '0')}`;
      const message = `The image 'serves' in container group 'g' is not accessible. Tracking ID '${id}', try ${String(tries)} at 2026-11-23T12:00:${String(tries % 60).padStart(2, '0')}Z.`;
      return fail({ kind: 'rejected', code, message } as const);
    };
    return { ...deps, groups: { ...deps.groups, createOrUpdate } };
  };

describe('a trouble of two hours is reported at any minute', () => {
  it('of a container that ends again and again: few objects, whose counts grow', async () => {
    const world = await createWorld();
    world.createPod('exits-3', always);
    const watched = await watch(world);
    const uid = world.pod()?.metadata.uid ?? '';
    expect(
      silentMinutes(
        watched,
        `Warning BackOff spec.containers{main}: Back-off restarting failed container main in pod p_default(${uid})`,
      ),
    ).toEqual([]);
    expect([...watched.objects.values()].map(({ reason }) => reason).toSorted()).toEqual([
      'BackOff',
      'Created',
      'Started',
    ]);
    const restarts = world.pod()?.status.containerStatuses[0]?.restartCount ?? 0;
    // Written a quarter of an hour ago at most.
    expect(countsOf(watched, 'BackOff')[0]).toBeGreaterThan(restarts - 5);
    expect(countsOf(watched, 'Started')[0]).toBeGreaterThan(restarts - 5);
    expect(world.calls.filter((call) => call === 'api.repeatEvent').length).toBeLessThan(20);
  });

  it('of an image that can’t be pulled, though ARM says it in other words each time', async () => {
    const world = await createWorld({ wrap: refusing('InaccessibleImage') });
    world.createPod('serves');
    const watched = await watch(world);
    const place = 'spec.containers{main}';
    expect(
      silentMinutes(
        watched,
        `Warning Failed ${place}: Failed to pull image "serves": InaccessibleImage: The image 'serves' in`,
        `Warning Failed ${place}: Error: ErrImagePull`,
        `Normal BackOff ${place}: Back-off pulling image "serves"`,
        `Warning Failed ${place}: Error: ImagePullBackOff`,
      ),
    ).toEqual([]);
    expect(watched.objects.size).toBe(4);
    expect(countsOf(watched, 'Failed').every((count) => count >= 7)).toBe(true);
    // Its newest words.
    expect(watched.shown.at(-1)?.[0]).not.toContain(', try 1 at');
  });

  it('of ARM that refuses: one object', async () => {
    const world = await createWorld({ wrap: refusing('NobodyKnowsThis') });
    world.createPod('serves');
    const watched = await watch(world);
    expect(silentMinutes(watched, 'Warning ProviderError ')).toEqual([]);
    expect(watched.objects.size).toBe(1);
  });

  it.each<[string, JsonObject, object, readonly string[]]>([
    [
      'an image that no pull can bring',
      withMain({ image: 'Upper' }),
      {},
      [
        'Warning InspectFailed spec.containers{main}: ',
        'Warning Failed spec.containers{main}: Error: InvalidImageName',
      ],
    ],
    [
      'a DaemonSet’s pod that ACI can’t run',
      { hostNetwork: true },
      { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'd', uid: 'd-uid', controller: true }] },
      ['Warning UnsupportedPodSpec '],
    ],
  ])('of %s, without a call of ARM', async (_, spec, manifest, reported) => {
    const world = await createWorld();
    world.createPod('serves', spec, manifest);
    await world.run(60);
    const before = world.calls.length;
    const watched = await watch(world);
    expect(silentMinutes(watched, ...reported)).toEqual([]);
    expect(watched.objects.size).toBe(reported.length);
    const calls = world.calls.slice(before);
    expect(calls.filter((call) => call === 'groups.get' || call === 'groups.createOrUpdate')).toEqual([]);
    // The pod is woken for it each 45 minutes, which writes its row twice.
    expect(calls.filter((call) => call === 'store.upsertPod').length).toBeLessThan(7);
  });

  it.each<[string, JsonObject, string, string]>([
    [
      'a Secret of an environment',
      withMain({ env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] }),
      'Warning Failed spec.containers{main}: Error: secret "s" not found',
      'Pending, main: CreateContainerConfigError',
    ],
    [
      'a ConfigMap of an environment',
      withMain({ envFrom: [{ configMapRef: { name: 'c' } }] }),
      'Warning Failed spec.containers{main}: Error: configmap "c" not found',
      'Pending, main: CreateContainerConfigError',
    ],
    [
      'a Secret of a volume',
      withMain(
        { volumeMounts: [{ name: 'v', mountPath: '/v' }] },
        { volumes: [{ name: 'v', secret: { secretName: 's' } }] },
      ),
      'Warning FailedMount : MountVolume.SetUp failed for volume "v" : secret "s" not found',
      'Pending, main: ContainerCreating',
    ],
  ])('of %s that is missing', async (_, spec, reported, state) => {
    const world = await createWorld();
    world.createPod('serves', spec);
    const watched = await watch(world);
    expect(silentMinutes(watched, reported)).toEqual([]);
    expect([world.statusOf(), watched.objects.size]).toEqual([state, 1]);
  });
});

describe('a pod in which nothing goes wrong', () => {
  it('is reported by a few events, for which its row is not written once more', async () => {
    const writes = [];
    for (const isReported of [true, false]) {
      const world = await createWorld();
      const fault = { kind: 'transient', message: 'no' } as const;
      if (!isReported) world.cluster.inject({ method: 'createEvent', moment: 'before', fault, times: 100 });
      world.createPod('exits-0');
      await world.run(60);
      expect(world.events().map((event) => event.split(' ')[0])).toEqual(isReported ? ['Created:', 'Started:'] : []);
      writes.push(world.calls.filter((call) => call.startsWith('store.')));
    }
    expect(writes[0]).toEqual(writes[1]);
  });

  it('and that is deleted has its containers killed', async () => {
    const world = await createWorld();
    world.createPod('serves', always);
    await world.run(30);
    world.deletePod();
    await world.run(30);
    expect(world.events('Killing')).toEqual(['Killing: Stopping container main']);
  });
});

describe('an event', () => {
  const backOff = (world: World): KubeEvent | undefined =>
    world.cluster.events().find(({ reason }) => reason === 'BackOff');

  it('that the API server has dropped too early is made anew, with its count', async () => {
    const world = await createWorld();
    world.createPod('exits-3', always);
    await world.run(20 * 60);
    const before = backOff(world)?.count ?? 0;
    // As if the hour were over.
    const { store } = world.cluster.state();
    for (const event of store.all(events)) store.remove(events, { namespace: namespaceOf(event), name: nameOf(event) });
    await world.run(20 * 60);
    expect(backOff(world)?.count).toBeGreaterThan(before);
  });

  it('that can’t be written is written with the next occasion, and the pod goes on', async () => {
    const world = await createWorld();
    const fault = { kind: 'transient', message: 'no' } as const;
    world.cluster.inject({ method: 'createEvent', moment: 'before', fault, times: 3 });
    world.createPod('exits-3', always);
    await world.run(5 * 60);
    expect(backOff(world)).toBeDefined();
    world.cluster.inject({ method: 'repeatEvent', moment: 'before', fault, times: 1 });
    await world.run(20 * 60);
    expect(backOff(world)?.count).toBeGreaterThan(3);
  });
});
