import type { MemoryContainerGroups } from '../../../infra/local/sim/memory-container-groups.ts';
import type { ContainerGroups } from '../../../shared/ports/container-groups.ts';
import { createKubernetesClient } from '../../../shared/adapters/kubernetes/http.ts';
import { groupBody } from '../../contract/container-groups.suite.ts';
import { createWorld } from '../../app/world.ts';
import type { World } from '../../app/world.ts';
import type { Dice } from '../dice.ts';
import { Secrets } from '../secrets.ts';
import type { Case, CaseReport, Target } from '../target.ts';
import { openWireServer } from './kubernetes-wire.ts';
import { armOver } from './lives-arm.ts';
import { Tunnel } from './lives-kubernetes.ts';
import { createSecretPod, findSecrets } from './secret-pods.ts';

/** What becomes of the next answer. `lost`: the connection ends before or after the effect. */
export type Meddling = 'true' | 'garbage' | 'mutated' | 'lost before' | 'lost after';

export interface Meddler {
  next(): Meddling;
  readonly meddled: number;
}

/** `garbage`: nothing that could be believed. `mutated`: what is still readable may be a lie. */
export type Mode = 'garbage' | 'mutated';

export function createMeddler(dice: Dice, mode: Mode): Meddler & { isOn: boolean } {
  const share = dice.pick([0.1, 0.3, 0.6, 0.9]);
  const meddler = {
    isOn: false,
    meddled: 0,
    next: (): Meddling => {
      if (!meddler.isOn || !dice.chance(share)) return 'true';
      meddler.meddled += 1;
      return dice.chance(0.1) ? dice.pick(['lost before', 'lost after']) : mode;
    },
  };
  return meddler;
}

/** Whole lives of pods over answers of ARM that are garbage for a while: afterwards all is as it would have been. */
export const armLives: Target = {
  name: 'arm-lives',
  share: 'answers',
  cases: 250,
  testCases: 8,
  hangMs: 60_000,
  open: async () => ({ run: playArmLife }),
};

const serving = ['serves-1', 'serves-2', 'serves-3'];
const ending = ['ends-1', 'ends-2', 'ends-3'];
const strangers = ['somebody-elses', 'another-installations'];

async function playArmLife(one: Case): Promise<CaseReport> {
  const { mutator } = one;
  const { mode, meddler } = begin(one);
  const world = await createWorld({
    // ARM is asked only once the world is up.
    wrap: (deps) => ({ ...deps, groups: lazily(() => armOver(world.groups, meddler, mutator)) }),
  });
  return playStory({ world, dice: one.dice, meddler, mode });
}

/** The same over answers of the API server, through a socket. */
export const kubernetesLives: Target = {
  name: 'kubernetes-lives',
  share: 'answers',
  cases: 40,
  testCases: 2,
  hangMs: 60_000,
  open: async () => {
    const server = await openWireServer();
    const client = createKubernetesClient({
      server: server.url,
      getToken: async () => 'token-of-kubernetes',
      requestTimeoutMs: 8_000,
      userAgent: 'fuzz/1',
    });
    return {
      run: async (one) => {
        const { mode, meddler } = begin(one);
        const tunnel = new Tunnel(server, client, meddler, one.mutator);
        const world = await createWorld({
          wrap: (deps) => ({
            ...deps,
            clusters: new Map([...deps.clusters].map(([uid, cluster]) => [uid, tunnel.clusterDeps(cluster)])),
          }),
        });
        return playStory({ world, dice: one.dice, meddler, mode });
      },
      close: async () => {
        client.close();
        await server.close();
      },
    };
  },
};

function begin(one: Case): { readonly mode: Mode; readonly meddler: Meddler & { isOn: boolean } } {
  const mode: Mode = one.dice.chance(0.75) ? 'garbage' : 'mutated';
  one.show = () => `${mode} answers in the lives of six pods`;
  return { mode, meddler: createMeddler(one.dice.fork('meddler'), mode) };
}

export interface Story {
  readonly world: World;
  readonly dice: Dice;
  readonly meddler: Meddler & { isOn: boolean };
  readonly mode: Mode;
}

/** Six pods are created, three end, three are deleted; the answers are bad from somewhere to somewhere. */
export async function playStory({ world, dice, meddler, mode }: Story): Promise<CaseReport> {
  const secrets = new Secrets();
  addUnmanaged(world.groups);
  const startsAt = dice.below(30);
  const endsAt = startsAt + 20 + dice.below(60);
  const deletesAt = 25 + dice.below(40);
  for (const name of serving) createSecretPod(world, name, secrets, 'serves');
  for (const name of ending) createSecretPod(world, name, secrets, 'exits-0');
  for (let second = 0; second < 100; second += 1) {
    meddler.isOn = second >= startsAt && second < endsAt;
    if (second === deletesAt) for (const name of serving) world.deletePod(name);
    await world.run(1);
  }
  meddler.isOn = false;
  for (let minute = 0; minute < 15 && !isSettled(world); minute += 1) await world.run(60);
  const faults = [
    ...strangerFaults(world.groups),
    ...findSecrets(world, secrets),
    ...[...world.phases.values()].flatMap(phaseFaults),
    ...world.warnings.filter(({ message }) => message.includes('bug')).map(({ message }) => message),
    ...(mode === 'garbage' ? settledFaults(world) : []),
  ];
  return { outcome: mode, faults, inputs: meddler.meddled };
}

const isSettled = (world: World): boolean => settledFaults(world).length === 0;

/** What must have become of all, whatever nonsense was answered in between. */
function settledFaults(world: World): readonly string[] {
  const puts = Map.groupBy(world.groups.puts(), (name) => name);
  // An ended pod's group is kept for its log.
  const kept = ending.map((name) => `default-${name}-`);
  const own = world.groups.names().filter((name) => !strangers.includes(name));
  const left = own.filter((name) => !kept.some((prefix) => name.startsWith(prefix)));
  const reported = (names: readonly string[], wanted: string): readonly string[] =>
    names.filter((name) => world.statusOf(name) !== wanted).map((name) => `${name} is ${world.statusOf(name)}`);
  return [
    ...[...puts].filter(([, all]) => all.length > 1).map(([name, all]) => `${name} was PUT ${all.length} times`),
    ...reported(serving, 'gone'),
    ...reported(ending, 'Succeeded, main: Completed 0'),
    ...(left.length === 0 ? [] : [`groups are left: ${left.join(', ')}`]),
    ...(own.length <= ending.length ? [] : [`two groups of one pod: ${own.join(', ')}`]),
  ];
}

export function addUnmanaged(groups: MemoryContainerGroups): void {
  const [one = '', two = ''] = strangers;
  groups.addGroup({ name: one, body: groupBody('i') });
  const tags = { 'serverless-kubelet-installation': 'other', 'kubernetes-cluster': 'c', 'kubernetes-node': 'aci-1' };
  groups.addGroup({ name: two, body: { ...groupBody('i'), tags } });
}

const strangerFaults = (groups: MemoryContainerGroups): readonly string[] =>
  strangers.flatMap((name) => {
    const group = groups.readGroup(name);
    if (group === undefined) return [`${name} is gone`];
    return group.stopped || groups.puts().includes(name) ? [`${name} was touched`] : [];
  });

const order = ['Pending', 'Running', 'Succeeded', 'Failed'];

function phaseFaults(phases: readonly string[]): readonly string[] {
  const ranks = phases.map((phase) => Math.min(2, order.indexOf(phase)));
  const isBack = ranks.some((rank, index) => index > 0 && rank <= (ranks[index - 1] ?? 0));
  return isBack ? [`phase went back: ${phases.join(', ')}`] : [];
}

/** A port that is made with its first call. */
function lazily(make: () => ContainerGroups): ContainerGroups {
  let made: ContainerGroups | undefined;
  const get = (): ContainerGroups => (made ??= make());
  return {
    list: (signal) => get().list(signal),
    get: (name, signal) => get().get(name, signal),
    createOrUpdate: (name, body, signal) => get().createOrUpdate(name, body, signal),
    delete: (name, signal) => get().delete(name, signal),
    stop: (name, signal) => get().stop(name, signal),
    listLogs: (request, signal) => get().listLogs(request, signal),
    listMetrics: (name, window, signal) => get().listMetrics(name, window, signal),
    exec: (request, signal) => get().exec(request, signal),
    attach: (request, signal) => get().attach(request, signal),
    getOperation: (url, signal) => get().getOperation(url, signal),
    listUsages: (signal) => get().listUsages(signal),
  };
}
