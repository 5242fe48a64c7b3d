import { answerContainer } from '../../../shared/app/answer-container.ts';
import type { Deps } from '../../../shared/app/deps.ts';
import { createWorld } from '../../app/world.ts';
import type { World } from '../../app/world.ts';
import type { Dice } from '../dice.ts';
import type { Mutator } from '../mutator.ts';
import { Secrets } from '../secrets.ts';
import type { Case, CaseReport, Target } from '../target.ts';
import type { Parts } from './caller.ts';
import { callApp, clusterParam, makeCaller, showParts } from './caller.ts';
import { createSecretPod, findSecrets } from './secret-pods.ts';

/** `GET …/containers/{container}/logs`, `POST …/exec` and `…/attach`: paths, queries, bodies, headers and tokens, over pods that run. */
export const kubeletApi: Target = {
  name: 'kubelet-api',
  share: 'requests',
  cases: 15_000,
  testCases: 250,
  open: async () => {
    let world = await runningWorld();
    let played = 0;
    return {
      run: async (one) => {
        played += 1;
        // Nothing here changes a world, so one serves many cases.
        if (played % 500 === 0) world = await runningWorld();
        return playContainer(one, world);
      },
    };
  },
};

interface Running {
  readonly world: World;
  readonly secrets: Secrets;
  /** Containers of which something was asked of ARM. */
  readonly asked: string[];
}

async function runningWorld(): Promise<Running> {
  const secrets = new Secrets();
  const asked: string[] = [];
  const listening = (deps: Deps): Deps => ({
    ...deps,
    groups: {
      ...deps.groups,
      listLogs: (request, signal) => {
        asked.push(request.container);
        return deps.groups.listLogs(request, signal);
      },
      exec: (request, signal) => {
        asked.push(request.container);
        return deps.groups.exec(request, signal);
      },
      attach: (request, signal) => {
        asked.push(request.container);
        return deps.groups.attach(request, signal);
      },
    },
  });
  const world = await createWorld({ nodes: [{ name: 'aci-1' }, { name: 'aci-2' }], wrap: listening });
  createSecretPod(world, 'p', secrets, 'serves');
  await world.run(15);
  return { world, secrets, asked };
}

const size = '{"terminalSize":{"columns":80,"rows":24}}';
/** What is asked of a container most. */
const containerParts = ['logs', 'exec', 'attach'];
const clientAnswers = new Set([200, 400, 401, 403, 404]);

async function playContainer(one: Case, { world, secrets: known, asked }: Running): Promise<CaseReport> {
  const { dice, mutator } = one;
  const secrets = new Secrets();
  const caller = makeCaller(world, dice, { mutator, secrets });
  const parts: Parts = {
    params: {
      cluster: clusterParam(mutator, dice),
      ...paramsOf(world, dice, mutator),
      part: dice.chance(0.1) ? mutator.text('part', 'exec') : dice.pick(containerParts),
    },
    query: dice.chance(0.6) ? mutator.text('query', `tail=${dice.below(100)}`) : '',
    headers: { authorization: caller.authorization },
    body: Buffer.from(mutator.text('body', size)),
  };
  const method = dice.pick(['GET', 'POST']);
  one.show = () => showParts(parts, secrets);
  world.calls.length = 0;
  asked.length = 0;
  const before = JSON.stringify([world.store.table.readPartition('buckets'), world.rows(), world.groups.puts()]);
  const { answer, logged } = await callApp(world, parts, (deps, cluster, request, signal) =>
    answerContainer(deps, cluster, { ...request, method }, signal),
  );
  const called = [...new Set(world.calls)].filter((call) => call !== 'cluster.reviewToken');
  const after = JSON.stringify([world.store.table.readPartition('buckets'), world.rows(), world.groups.puts()]);
  const reported = JSON.stringify(answer);
  const isLogged = typeof answer.jsonBody?.['password'] === 'string' && logged.includes(answer.jsonBody['password']);
  const isWhole = Object.entries(paramsOfPod(world)).every(([name, value]) => parts.params[name] === value);
  const faults = [
    ...(clientAnswers.has(answer.status) ? [] : [`a client's mistake is answered ${answer.status}`]),
    ...(caller.mayAct || called.length === 0 ? [] : [`no valid token, and yet ${called.join(', ')}`]),
    ...(caller.mayAct || (answer.status !== 200 && answer.status !== 404) ? [] : [`no token, but ${answer.status}`]),
    ...(answer.status !== 200 || isWhole ? [] : ['an answer for a path that is not the pod’s']),
    ...asked.filter((name) => !/^[a-z0-9-]+$/.test(name)).map((name) => `ARM is asked for the container ${name}`),
    ...(before === after ? [] : ['a question changed something']),
    ...(isLogged ? ['the password of a session is in the log'] : []),
    ...secrets.findIn('the log', logged),
    ...secrets.findIn('the answer', reported),
    ...known.findIn('the log', logged),
    ...known.findIn('the answer', reported),
    ...findSecrets(world, secrets),
  ];
  return { outcome: String(answer.status), faults };
}

const paramsOfPod = (world: World): Readonly<Record<string, string>> => ({
  node: 'aci-1',
  namespace: 'default',
  pod: 'p',
  uid: world.pod()?.metadata.uid ?? '',
  container: 'main',
});

function paramsOf(world: World, dice: Dice, mutator: Mutator): Record<string, string> {
  const params = { ...paramsOfPod(world) };
  for (const name of Object.keys(params))
    if (dice.chance(0.2)) params[name] = decoded(mutator.text(name, params[name] ?? ''));
  return params;
}

/** A path is bytes: what comes out of it holds no half of a surrogate pair. */
const decoded = (text: string): string => text.toWellFormed();
