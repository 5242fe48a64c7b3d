import { keyOf } from '../../../infra/local/sim/pods/pod-key.ts';
import { answerPodEvents } from '../../../shared/app/answer-pod-events.ts';
import { createKubernetesClient } from '../../../shared/adapters/kubernetes/http.ts';
import type { Deps } from '../../../shared/app/deps.ts';
import type { World } from '../../app/world.ts';
import { createWorld } from '../../app/world.ts';
import type { Dice } from '../dice.ts';
import type { Mutator } from '../mutator.ts';
import { Secrets } from '../secrets.ts';
import type { Case, CaseReport, Target } from '../target.ts';
import type { Caller, Parts } from './caller.ts';
import { callApp, clusterParam, makeCaller, showParts } from './caller.ts';
import { openWireServer } from './kubernetes-wire.ts';
import { Tunnel } from './lives-kubernetes.ts';
import type { Meddler } from './lives.ts';
import { createPods, findSecrets } from './secret-pods.ts';

/** `POST …/pod-events`: bodies, headers and tokens, through the handler with everything behind it in memory. */
export const webhook: Target = {
  name: 'webhook',
  share: 'requests',
  cases: 45_000,
  testCases: 450,
  open: async () => ({ run: (one) => playWebhook(one, createWorld()) }),
};

/** The same with the real Kubernetes adapters behind the handler: what is in a body must not reach a path that can't be made. */
export const webhookWire: Target = {
  name: 'webhook-wire',
  share: 'requests',
  cases: 2_000,
  testCases: 60,
  open: async () => {
    const server = await openWireServer();
    const client = createKubernetesClient({
      server: server.url,
      getToken: async () => 'token-of-kubernetes',
      requestTimeoutMs: 5_000,
      userAgent: 'fuzz/1',
    });
    const honest: Meddler = { next: () => 'true', meddled: 0 };
    return {
      run: (one) => {
        const tunnel = new Tunnel(server, client, honest, one.mutator);
        const wrap = (deps: Deps): Deps => ({
          ...deps,
          clusters: new Map([...deps.clusters].map(([uid, cluster]) => [uid, tunnel.clusterDeps(cluster)])),
        });
        return playWebhook(one, createWorld({ wrap }));
      },
      close: async () => {
        client.close();
        await server.close();
      },
    };
  },
};

const clientAnswers = new Set([200, 400, 401, 403, 413, 415]);

async function playWebhook(one: Case, creating: Promise<World>): Promise<CaseReport> {
  const { dice, mutator } = one;
  const secrets = new Secrets();
  const world = await creating;
  createPods(world, dice, secrets);
  const caller = makeCaller(world, dice, { mutator, secrets });
  const parts: Parts = {
    params: { cluster: clusterParam(mutator, dice) },
    query: '',
    headers: headersOf(caller, dice, mutator),
    body: mutator.json('body', eventsBody(world, dice, secrets)),
  };
  one.show = () => showParts(parts, secrets);
  world.calls.length = 0;
  const { answer, logged } = await callApp(world, parts, answerPodEvents);
  const faults = [
    ...(clientAnswers.has(answer.status) ? [] : [`a client's mistake is answered ${answer.status}`]),
    ...effectFaults(world, caller, answer.status),
    ...secrets.findIn('the log', logged),
    ...secrets.findIn('the answer', JSON.stringify(answer)),
    ...findSecrets(world, secrets),
  ];
  return { outcome: String(answer.status), faults };
}

/** Without the relay's own token nothing is called but the review of the token; a refused body changes nothing either. */
export function effectFaults(world: World, { mayAct }: Pick<Caller, 'mayAct'>, status: number): readonly string[] {
  const called = [...new Set(world.calls)].filter((call) => call !== 'cluster.reviewToken');
  if (mayAct && status === 200) return [];
  const why = mayAct ? `an answer of ${status}` : 'no valid token';
  return [
    ...(!mayAct && status === 200 ? ['a request without a valid token is taken'] : []),
    ...(called.length === 0 ? [] : [`${why}, and yet ${called.join(', ')}`]),
    ...(world.groups.puts().length === 0 ? [] : [`${why}, and yet a group was PUT`]),
  ];
}

const headersOf = (caller: Caller, dice: Dice, mutator: Mutator): Parts['headers'] => ({
  authorization: caller.authorization,
  'content-type': dice.chance(0.1)
    ? mutator.text('content-type', 'application/json')
    : dice.pick(['application/json', 'application/json; charset=utf-8', 'Application/JSON']),
  'content-length': dice.chance(0.1)
    ? mutator.swap('content-length', '', ['-1', 'NaN', '1e9', '1048577', '0x100000', '99999999999999999999', ' 5 '])
    : null,
});

/** What the relay posts of this world's pods, with words in it that are nobody's business. */
export function eventsBody(world: World, dice: Dice, secrets: Secrets): object {
  const pods = world.cluster.pods.list().map((pod) => ({
    ...keyOf(pod),
    resourceVersion: secrets.plant('resourceVersion', ''),
    ...(dice.chance(0.1) ? { deletionTimestamp: '2026-11-23T12:00:00Z' } : {}),
    ...(dice.chance(0.05) ? { spec: { env: secrets.plant('spec', '') } } : {}),
    ...(dice.chance(0.05) ? { node: 'aci-9' } : {}),
    ...(dice.chance(0.05) ? { uid: '00000000-0000-4000-8000-00000000beef' } : {}),
  }));
  return {
    epoch: secrets.plant('epoch', ''),
    seq: dice.below(1_000),
    kind: dice.pick(['delta', 'delta', 'snapshot', 'tick', 'wake']),
    pods,
  };
}
