import { answerFilesCall } from '../../../shared/app/answer-pod-files.ts';
import { answerPodReports } from '../../../shared/app/answer-pod-reports.ts';
import type { Answer } from '../../../shared/app/run-http.ts';
import { agentKey, signature } from '../../../shared/core/agent/key.ts';
import type { JsonObject } from '../../../shared/core/json.ts';
import { createWorld } from '../../app/world.ts';
import type { World } from '../../app/world.ts';
import { agentRoot, agentSettings } from '../../fixtures/settings.ts';
import type { Dice } from '../dice.ts';
import { Secrets } from '../secrets.ts';
import type { Case, CaseReport, Target } from '../target.ts';
import { findSecrets } from './secret-pods.ts';

/** `POST /api/pods/{uid}/reports` and `/files`: what an agent sends, what one that lies sends, and what anybody sends. */
export const agents: Target = {
  name: 'agents',
  share: 'requests',
  cases: 3_000,
  testCases: 100,
  open: async () => ({ run: playAgent }),
};

type PerPod<T> = Readonly<Record<'own' | 'other', T>>;

const clientAnswers = new Set([200, 204, 400, 401, 404, 410, 413, 415, 422, 429]);
const config = { entrypoint: ['/entry'], cmd: [], env: {}, workingDir: '', user: '' };
const liveMount = { volumeMounts: [{ name: 'live', mountPath: '/live' }] };

async function playAgent(one: Case): Promise<CaseReport> {
  const { dice, mutator } = one;
  const secrets = { own: new Secrets(), other: new Secrets() };
  const world = await worldOf(secrets);
  const own = agentOf(world, 'own');
  const route = dice.pick(['reports', 'files'] as const);
  const at = new Date(world.now).toISOString();
  const body = mutator.json('body', route === 'reports' ? reportOf(own, at, dice) : filesOf(own, at));
  const { authorization, isOwn } = sign(world, body, dice);
  const uid = dice.chance(0.1) ? mutator.text('uid', own.podUid) : own.podUid;
  const type = dice.chance(0.1) ? mutator.text('content-type', 'application/json') : 'application/json';
  one.show = () => `${route} ${uid} ${authorization}\n${body.toString()}`;
  const before = seen(world);
  const lines: string[] = [];
  const line = (message: string, fields?: object): void => void lines.push(JSON.stringify({ message, ...fields }));
  const headers: Readonly<Record<string, string>> = { 'content-type': type, authorization };
  const answer = await (route === 'reports' ? answerPodReports : answerFilesCall)({
    request: {
      headers: { get: (name) => headers[name.toLowerCase()] ?? null },
      params: { uid },
      arrayBuffer: async () => new Uint8Array(body).buffer,
    },
    log: { info: line, warn: line },
    load: async () => ({ ok: true, deps: world.deps }),
    deadlineMs: 9_000,
  });
  const faults = [
    ...changeFaults({ status: answer.status, isOwn, before, after: seen(world) }),
    ...disclosures(answer, isOwn, secrets),
    ...[secrets.own, secrets.other].flatMap((each) => [
      ...each.findIn('the log', lines.join('\n')),
      ...findSecrets(world, each),
    ]),
  ];
  return { outcome: `${route} ${answer.status}`, faults };
}

interface Change {
  readonly status: number;
  /** The agent of the pod has signed it. */
  readonly isOwn: boolean;
  readonly before: PerPod<string>;
  readonly after: PerPod<string>;
}

function changeFaults({ status, isOwn, before, after }: Change): readonly string[] {
  const hasChanged = after.own !== before.own;
  return [
    ...(clientAnswers.has(status) ? [] : [`a client's mistake is answered ${status}`]),
    ...(after.other === before.other ? [] : ['another pod has changed']),
    ...(!isOwn && status < 400 ? [`what the agent has not signed is answered ${status}`] : []),
    ...(hasChanged && (!isOwn || status >= 400) ? [`answered ${status}, and yet its pod has changed`] : []),
  ];
}

/** Files go to the pod's own agent alone. */
function disclosures(answer: Answer, isOwn: boolean, { own, other }: PerPod<Secrets>): readonly string[] {
  const files = [...(answer.body ?? '').matchAll(/"data":"([^"]*)"/g)].map(([, data = '']) =>
    Buffer.from(data, 'base64'),
  );
  const text = [JSON.stringify(answer), ...files].join('\n');
  const mayHave = isOwn && answer.status === 200;
  return [...other.findIn('the answer', text), ...(mayHave ? [] : own.findIn('the answer', text))];
}

/** Two pods with the agent, each with a Secret of its own as a live volume, which has changed since. */
async function worldOf(secrets: PerPod<Secrets>): Promise<World> {
  const world = await createWorld({ settings: { ...agentSettings, AGENT: 'always' } });
  world.imageRegistry.put('index.docker.io/library/serves', 'latest', { digest: `sha256:${'ab'.repeat(32)}`, config });
  const put = (name: 'own' | 'other'): void =>
    world.cluster.references.putSecret(
      { namespace: 'default', name: `${name}-keys` },
      { password: secrets[name].plant('live', name) },
    );
  for (const name of ['own', 'other'] as const) {
    put(name);
    const volumes = [{ name: 'live', secret: { secretName: `${name}-keys` } }];
    world.createPod('serves', { containers: [{ name: 'main', image: 'serves', ...liveMount }], volumes }, { name });
  }
  await world.run(10);
  for (const name of ['own', 'other'] as const) put(name);
  return world;
}

interface AgentScope {
  readonly podUid: string;
  readonly nonce: string;
  readonly kid: string;
}

function agentOf(world: World, name: string): AgentScope {
  const row = world.rows().find(({ uid }) => uid === world.pod(name)?.metadata.uid);
  if (row?.agent === undefined) throw new Error(`${name} has no agent`);
  return { podUid: row.uid, ...row.agent.key };
}

/** By whom, and whether that is the agent of the pod that is written to. */
function sign(world: World, body: Buffer, dice: Dice): { readonly authorization: string; readonly isOwn: boolean } {
  const own = agentOf(world, 'own');
  const by = dice.weighted({ own: 12, other: 3, older: 2, bent: 2, nobody: 1, others: 1 });
  const signed = (scope: AgentScope, text: Buffer): string => signature(agentKey(agentRoot, scope), text);
  switch (by) {
    case 'own':
      return { authorization: signed(own, body), isOwn: true };
    case 'other':
      return { authorization: signed(agentOf(world, 'other'), body), isOwn: false };
    case 'older':
      return { authorization: signed({ ...own, nonce: 'older' }, body), isOwn: false };
    case 'bent':
      return { authorization: signed(own, Buffer.concat([body, Buffer.from(' ')])), isOwn: false };
    case 'nobody':
      return { authorization: dice.pick(['', 'Bearer x', 'SK-HMAC-SHA256', 'SK-HMAC-SHA256 =']), isOwn: false };
    case 'others':
      return { authorization: `${signed(own, body)}x`, isOwn: false };
  }
}

function reportOf(scope: AgentScope, at: string, dice: Dice): JsonObject {
  const ended = { exitCode: dice.below(256), reason: 'Error', message: 'no room', startedAt: at, finishedAt: at };
  const phase = dice.pick(['running', 'ended', 'parked', 'waiting']);
  const events = [{ n: 1, type: 'Warning', reason: 'Unhealthy', message: 'probe failed', count: 3, lastAt: at }];
  return {
    schemaVersion: 1,
    ...scope,
    container: 'main',
    bootId: '019ad1c0ffee-00000001',
    number: 1 + dice.below(3),
    sentAt: at,
    state: {
      phase,
      startedAt: at,
      started: dice.chance(0.5),
      ready: dice.chance(0.5),
      restarts: dice.below(3),
      final: dice.chance(0.5),
      ...(phase === 'waiting' && { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } }),
      ...((phase === 'ended' || phase === 'parked') && { ended }),
      ...(dice.chance(0.3) && { lastEnded: ended, drainBy: at, volumes: { live: 'r1' } }),
    },
    ...(dice.chance(0.5) && { events }),
  };
}

const filesOf = (scope: AgentScope, at: string): JsonObject => ({
  schemaVersion: 1,
  ...scope,
  container: 'main',
  bootId: '019ad1c0ffee-00000001',
  sentAt: at,
  volumes: [{ name: 'live', revision: 'r0' }],
});

/** What a request could change: rows, statuses, events. */
function seen(world: World): PerPod<string> {
  const of = (name: string): string => {
    const pod = world.pod(name);
    const uid = pod?.metadata.uid;
    const events = world.cluster.events().filter(({ involved }) => involved.uid === uid);
    return JSON.stringify([world.rows().find((row) => row.uid === uid), pod?.status, events]);
  };
  return { own: of('own'), other: of('other') };
}
