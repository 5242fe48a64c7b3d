import { beforeEach, describe, expect, it } from 'vitest';
import { answerFilesCall } from '../../shared/app/answer-pod-files.ts';
import type { Answer } from '../../shared/app/run-http.ts';
import { agentKey, signature } from '../../shared/core/agent/key.ts';
import type { JsonObject } from '../../shared/core/json.ts';
import { configMaps, pods } from '../../infra/local/sim/api-server/resources.ts';
import { hooked } from './hooks.ts';
import { objectAt } from '../../shared/core/json-access.ts';
import { agentRoot as root, agentSettings } from '../fixtures/settings.ts';
import { createWorld } from './world.ts';
import type { World } from './world.ts';

const settings = { ...agentSettings, AGENT: 'always' };
const config = { entrypoint: ['/entry'], cmd: [], env: {}, workingDir: '', user: '' };
const conf = { name: 'conf', configMap: { name: 'settings' } };
const login = { name: 'login', secret: { secretName: 'login', optional: true } };
const labels = {
  name: 'labels',
  downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] },
};
const token = {
  name: 'token',
  projected: {
    sources: [
      { serviceAccountToken: { path: 'token', audience: 'vault', expirationSeconds: 600 } },
      { configMap: { name: 'settings', items: [{ key: 'a', path: 'a' }] } },
    ],
  },
};

type VolumeSpec = JsonObject & { readonly name: string };
type ContainerSpec = JsonObject & { readonly name: string };

const serving = (volumes: readonly VolumeSpec[], name = 'main'): ContainerSpec => ({
  name,
  image: 'serves',
  volumeMounts: volumes.map((volume) => ({ name: volume.name, mountPath: `/${volume.name}` })),
});

const p = { namespace: 'default', name: 'p' };

let world: World;

const put = (data: Readonly<Record<string, string>>): void =>
  world.cluster.references.putConfigMap({ namespace: 'default', name: 'settings' }, data);

interface Sent {
  readonly name: string;
  readonly revision: string;
  readonly files: Readonly<Record<string, string>>;
}

/** What the agent in a container has, by the volumes' names. */
const had = new Map<string, string>();

interface Asked {
  readonly container?: string;
  readonly volumes?: readonly string[];
  readonly body?: JsonObject;
  readonly key?: Buffer;
  readonly uid?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function call({ container = 'main', volumes = ['conf'], body = {}, key, uid, headers }: Asked = {}): Promise<Answer> {
  const row = world.row();
  const { kid = 'r1', nonce = '' } = row?.agent?.key ?? {};
  const podUid = row?.uid ?? '';
  const text = JSON.stringify({
    schemaVersion: 1,
    podUid,
    nonce,
    kid,
    container,
    bootId: '019ad1c0ffee-9f86d081',
    sentAt: '2026-11-30T10:00:00.123Z',
    volumes: volumes.map((name) => ({ name, ...(had.has(name) && { revision: had.get(name) ?? '' }) })),
    ...body,
  });
  const bytes = new TextEncoder().encode(text);
  const all: Readonly<Record<string, string>> = {
    'content-type': 'application/json',
    authorization: signature(key ?? agentKey(root, { podUid, nonce }), bytes),
    ...headers,
  };
  return answerFilesCall({
    request: {
      headers: { get: (name) => all[name] ?? null },
      params: { uid: uid ?? podUid },
      arrayBuffer: async () => bytes.buffer,
    },
    log: world.deps.log,
    load: async () => ({ ok: true, deps: world.deps }),
    deadlineMs: 10_000,
  });
}

/** Asks as the agent does, and keeps what came. */
async function fetchFiles(asked: Asked = {}): Promise<readonly Sent[]> {
  const { status, body = '' } = await call(asked);
  if (status !== 200) throw new Error(`${status} ${body}`);
  const { volumes } = JSON.parse(body) as {
    volumes: { name: string; revision: string; files: { path: string; mode: number; data: string }[] }[];
  };
  for (const { name, revision } of volumes) had.set(name, revision);
  return volumes.map(({ name, revision, files }) => ({
    name,
    revision,
    files: Object.fromEntries(
      files.map(({ path, mode, data }) => [path, `${mode.toString(8)} ${Buffer.from(data, 'base64').toString()}`]),
    ),
  }));
}

/** A pod that runs, and an agent in each of its containers that hears. */
async function running(containers: readonly ContainerSpec[], volumes: readonly VolumeSpec[]): Promise<void> {
  world.createPod('serves', { containers: [...containers], volumes: [...volumes], restartPolicy: 'Always' });
  await world.run(30);
  expect(world.statusOf()).toContain('Running');
  for (const { name } of containers)
    world.agents.setAgent(
      { group: world.row()?.group ?? '', container: name },
      {
        drain: () => ({ ok: true }),
        refresh: () => ({ ok: true }),
        status: () => ({ bootId: 'b', phase: 'running' }),
      },
    );
}

/** What agents were asked to fetch; one that does not report is asked why, too. */
const refreshed = (): readonly string[] => world.agents.heard().filter((word) => word.endsWith(' refresh'));

/** How often they were, while minutes pass, one look in each. */
async function heardIn(minutes: number): Promise<number> {
  const before = refreshed().length;
  for (let minute = 0; minute < minutes; minute += 1) {
    await world.run(60);
    await world.refresh();
  }
  return refreshed().length - before;
}

beforeEach(async () => {
  had.clear();
  world = await createWorld({ settings });
  world.imageRegistry.put('index.docker.io/library/serves', 'latest', { digest: `sha256:${'ab'.repeat(32)}`, config });
  put({ a: '1' });
});

describe('a ConfigMap that changes', () => {
  it('is told to the agent in the next minute, which gets its files once', async () => {
    await running([serving([conf])], [conf]);
    expect(await heardIn(2)).toBe(0);
    put({ a: '2', b: '3' });
    expect(await heardIn(1)).toBe(1);
    expect(refreshed()).toEqual([`${world.row()?.group ?? ''}/main refresh`]);
    expect(await fetchFiles()).toEqual([
      { name: 'conf', revision: expect.any(String), files: { a: '644 2', b: '644 3' } },
    ]);
    expect(await fetchFiles()).toEqual([]);
    expect(await heardIn(3)).toBe(0);
  });

  it('is told again, less and less often, to an agent that does not ask', async () => {
    await running([serving([conf])], [conf]);
    put({ a: '2' });
    expect(await heardIn(16)).toBe(4);
  });

  it('is told again with the next run where nobody knows whether the word arrived, and no more than twice', async () => {
    await running([serving([conf])], [conf]);
    world.agents.inject({
      method: 'refresh',
      moment: 'before',
      fault: { kind: 'transient', message: 'reset' },
      times: 1,
    });
    put({ a: '2' });
    expect([await heardIn(1), await heardIn(1)]).toEqual([0, 1]);
    expect(await fetchFiles()).toHaveLength(1);
    put({ a: '3' });
    world.agents.inject({
      method: 'refresh',
      moment: 'before',
      fault: { kind: 'transient', message: 'reset' },
      times: 9,
    });
    const words = await world.count('groups.exec', () => heardIn(6));
    expect(words).toBeLessThanOrEqual(4);
  });

  it('is as the group was made where only its version changed: nothing is sent', async () => {
    await running([serving([conf])], [conf]);
    put({ a: '1' });
    expect(await heardIn(1)).toBe(1);
    expect(await fetchFiles()).toEqual([]);
    expect(await heardIn(2)).toBe(0);
  });

  it('is sent once more to an agent that did not get the answer', async () => {
    await running([serving([conf])], [conf]);
    put({ a: '2' });
    await heardIn(1);
    await call();
    expect(await fetchFiles()).toMatchObject([{ files: { a: '644 2' } }]);
  });

  it('is looked at once for all pods that name it, and without its content', async () => {
    for (const name of ['p', 'q', 'r'])
      world.createPod('serves', { containers: [serving([conf])], volumes: [conf] }, { name });
    await world.run(30);
    expect(await world.count('api.getReferenceVersion', () => world.refresh())).toBe(1);
    world.now += 60_000;
    expect(await world.count('api.', () => world.refresh())).toBe(1);
  });

  it('is nothing to an agent of another container', async () => {
    await running([serving([conf]), serving([login], 'side')], [conf, login]);
    put({ a: '2' });
    await heardIn(1);
    expect(refreshed()).toEqual([`${world.row()?.group ?? ''}/main refresh`]);
    expect(await fetchFiles({ container: 'side', volumes: ['conf', 'login'] })).toEqual([]);
  });
});

describe('more than an answer may have', () => {
  it('comes in two: what was left out is due again', async () => {
    const more = { name: 'more', configMap: { name: 'more', optional: true } };
    await running([serving([conf, more])], [conf, more]);
    const large = 'x'.repeat(3_500_000);
    put({ a: large });
    world.cluster.references.putConfigMap({ namespace: 'default', name: 'more' }, { a: large });
    expect(await heardIn(1)).toBe(1);
    const asked = { volumes: ['conf', 'more'] };
    expect((await fetchFiles(asked)).map(({ name }) => name)).toEqual(['conf']);
    expect(await heardIn(2)).toBe(1);
    expect((await fetchFiles(asked)).map(({ name }) => name)).toEqual(['more']);
    expect(await heardIn(2)).toBe(0);
  });
});

describe('a ConfigMap that is gone', () => {
  const remove = (): void =>
    void world.cluster.state().store.remove(configMaps, { namespace: 'default', name: 'settings' });

  it('keeps its files where it is required, with one event, until there is one again', async () => {
    await running([serving([conf])], [conf]);
    remove();
    expect(await heardIn(1)).toBe(1);
    expect(await fetchFiles()).toEqual([]);
    expect(world.events('FailedMount')).toEqual([
      'FailedMount: MountVolume.SetUp failed for volume "conf" : configmap "settings" not found',
    ]);
    expect(await heardIn(3)).toBe(0);
    put({ a: '3' });
    expect(await heardIn(1)).toBe(1);
    expect(await fetchFiles()).toMatchObject([{ files: { a: '644 3' } }]);
  });

  it('leaves an empty volume where it is optional', async () => {
    const optional = { ...conf, configMap: { name: 'settings', optional: true } };
    await running([serving([optional])], [optional]);
    remove();
    await heardIn(1);
    expect(await fetchFiles()).toMatchObject([{ name: 'conf', files: {} }]);
    expect(world.events('FailedMount')).toEqual([]);
  });
});

describe('what else is in volumes', () => {
  it('an optional Secret that comes later', async () => {
    await running([serving([login])], [login]);
    expect(await heardIn(1)).toBe(0);
    world.cluster.references.putSecret({ namespace: 'default', name: 'login' }, { password: 'planted' });
    expect(await heardIn(1)).toBe(1);
    expect(await fetchFiles({ volumes: ['login'] })).toMatchObject([{ files: { password: '644 planted' } }]);
    expect(JSON.stringify([world.row(), world.events(), world.warnings])).not.toContain('planted');
  });

  it('labels of the pod, which alone have it read', async () => {
    await running([serving([labels])], [labels]);
    expect(await heardIn(1)).toBe(0);
    const { store } = world.cluster.state();
    const pod = store.get(pods, p) ?? {};
    store.put(pods, { ...pod, metadata: { ...objectAt(pod, 'metadata'), labels: { tier: 'web' } } });
    expect(await heardIn(1)).toBe(1);
    expect(await fetchFiles({ volumes: ['labels'] })).toMatchObject([{ files: { labels: '644 tier="web"' } }]);
    expect(await heardIn(1)).toBe(0);
  });

  it('a token at four fifths of its life, and with it the whole of its volume', async () => {
    await running([serving([token])], [token]);
    expect(await heardIn(7)).toBe(0);
    expect(await heardIn(1)).toBe(1);
    const [first] = await fetchFiles({ volumes: ['token'] });
    expect(first?.files['a']).toBe('644 1');
    expect(first?.files['token']).toMatch(/^644 .{20,}/);
    expect(await fetchFiles({ volumes: ['token'] })).toEqual([]);
    expect(await heardIn(7)).toBe(0);
    expect(await heardIn(1)).toBe(1);
    const [second] = await fetchFiles({ volumes: ['token'] });
    expect(second?.files['token']).not.toBe(first?.files['token']);
  });
});

describe('a row that has lost what it knew', () => {
  const forget = async (): Promise<void> => {
    const { key } = world.nodeDeps();
    const row = await world.deps.store.getPod(key, world.row()?.uid ?? '');
    if (!row.ok || row.value === undefined) throw new Error('no row');
    await world.deps.store.upsertPod(key, { ...row.value.value, files: undefined }, { previous: row.value });
  };

  it('knows it again by the tags of the group, and the agent gets all files once', async () => {
    await running([serving([conf])], [conf]);
    await forget();
    // One run finds out, the next one says so.
    expect(await heardIn(2)).toBe(1);
    expect(await fetchFiles()).toMatchObject([{ files: { a: '644 1' } }]);
    expect(await heardIn(2)).toBe(0);
    put({ a: '2' });
    expect(await heardIn(1)).toBe(1);
  });

  it('is asked of ARM once where the group has no agent', async () => {
    world.createPod('serves', { restartPolicy: 'Always' }, { annotations: { 'serverless-kubelet.io/agent': 'never' } });
    await world.run(30);
    await forget();
    expect(await world.count('groups.get', () => world.refresh())).toBe(1);
    world.now += 60_000;
    expect(await world.count('groups.get', () => world.refresh())).toBe(0);
  });

  it('gives up a volume that the agent does not know', async () => {
    await running([serving([conf])], [conf]);
    await forget();
    // One run finds out, the next one says so.
    expect(await heardIn(2)).toBe(1);
    expect(await fetchFiles({ volumes: [] })).toEqual([]);
    expect(await heardIn(3)).toBe(0);
  });
});

describe('while somebody works on the pod', () => {
  it('what was given stays in the row', async () => {
    await running([serving([conf])], [conf]);
    put({ a: '2' });
    const before = world.row()?.files;
    let isFirst = true;
    const { deps } = world;
    world.deps = hooked(deps, {
      before: async (call) => {
        if (call !== 'groups.get' || !isFirst) return;
        isFirst = false;
        expect(world.row()?.lock).toBeDefined();
        expect(await fetchFiles()).toHaveLength(1);
      },
    });
    world.cluster.pods.setCondition(p, { type: 'example.com/gate', status: 'True' });
    await world.run(2);
    expect(isFirst).toBe(false);
    expect(world.row()?.lock).toBeUndefined();
    expect(world.row()?.files).not.toEqual(before);
    expect(await heardIn(1)).toBe(0);
  });
});

describe('a request that is not to be answered', () => {
  const status = async (asked: Asked): Promise<number> => (await call(asked)).status;

  it.each<[string, Asked, number]>([
    ['without a signature', { headers: { authorization: '' } }, 401],
    ['with the key of another pod', { key: agentKey(root, { podUid: 'other', nonce: 'n' }) }, 401],
    ['of a root that there is not', { body: { kid: 'r9' } }, 401],
    ['for another pod than it names', { uid: 'another' }, 422],
    ['of another kind of content', { headers: { 'content-type': 'text/plain' } }, 415],
    ['that is too large', { body: { bootId: 'x'.repeat(20_000) } }, 413],
    ['that says it is too large', { headers: { 'content-length': '20000' } }, 413],
    ['with a member too many', { body: { more: 1 } }, 400],
    ['of another version', { body: { schemaVersion: 2 } }, 400],
  ])('%s', async (_, asked, expected) => {
    await running([serving([conf])], [conf]);
    put({ a: '2' });
    expect(await world.count('api.', async () => expect(await status(asked)).toBe(expected))).toBe(0);
  });

  it('of an older group of the pod, though its key was right', async () => {
    await running([serving([conf])], [conf]);
    const { uid: podUid = '' } = world.row() ?? {};
    const old = { podUid, nonce: 'of-an-older-put' };
    expect(await status({ body: { nonce: old.nonce }, key: agentKey(root, old) })).toBe(410);
  });

  it('of a pod of which nobody knows', async () => {
    await running([serving([conf])], [conf]);
    const other = { podUid: 'unknown', nonce: 'n' };
    expect(await status({ uid: 'unknown', body: other, key: agentKey(root, other) })).toBe(404);
  });

  it('above the allowance of a pod, which is its own', async () => {
    await running([serving([conf])], [conf]);
    const statuses = await Promise.all(Array.from({ length: 30 }, () => status({})));
    expect(statuses.filter((one) => one === 200)).toHaveLength(20);
    expect(statuses.filter((one) => one === 429)).toHaveLength(10);
    const other = { podUid: 'unknown', nonce: 'n' };
    expect(await status({ uid: 'unknown', body: other, key: agentKey(root, other) })).toBe(404);
  });

  it('while the API server answers nothing: it is asked again', async () => {
    await running([serving([conf])], [conf]);
    world.cluster.inject({
      method: 'getPod',
      moment: 'before',
      fault: { kind: 'transient', message: 'connection reset' },
    });
    expect(await call()).toMatchObject({ status: 503, headers: { 'retry-after': '2' } });
    expect(await status({})).toBe(200);
  });
});

describe('a pod that is left alone', () => {
  it('without live volumes: nothing of Kubernetes is asked', async () => {
    world.createPod('serves', { restartPolicy: 'Always' });
    await world.run(30);
    expect(await world.count('api.', () => world.refresh())).toBe(0);
  });

  it('that is being deleted', async () => {
    await running([serving([conf])], [conf]);
    world.deletePod('p', 600);
    await world.run(2);
    put({ a: '2' });
    expect(await heardIn(1)).toBe(0);
  });
});
