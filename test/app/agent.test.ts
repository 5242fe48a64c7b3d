import { describe, expect, it } from 'vitest';
import { readAgentTags } from '../../shared/core/agent/agent-tags.ts';
import { agentKey } from '../../shared/core/agent/key.ts';
import type { GroupBody } from '../../shared/core/group/group.ts';
import { agentRoot as root, agentSettings as known } from '../fixtures/settings.ts';
import { createWorld } from './world.ts';
import type { World } from './world.ts';

const { AGENT_IMAGE: image } = known;
const { AGENT_ROOT_KEYS: _, ...withoutKeys } = known;
const config = { entrypoint: ['/entry'], cmd: [], env: {}, workingDir: '', user: '' };
/** Nobody but the agent gives it. */
const hostAliases = [{ ip: '10.1.2.3', hostnames: ['db'] }];

/** With all bodies that were sent. */
async function worldOf(settings: Readonly<Record<string, string>>): Promise<{ world: World; sent: GroupBody[] }> {
  const sent: GroupBody[] = [];
  const world = await createWorld({
    settings,
    wrap: (deps) => ({
      ...deps,
      groups: {
        ...deps.groups,
        createOrUpdate: (name, body, ...more) => {
          sent.push(body);
          return deps.groups.createOrUpdate(name, body, ...more);
        },
      },
    }),
  });
  return { world, sent };
}

const noncesOf = (bodies: readonly GroupBody[]) => bodies.map(({ tags }) => readAgentTags(tags)?.nonce);

const secretsOf = ({ volumes }: GroupBody): string =>
  volumes
    .flatMap((volume) => ('secret' in volume ? Object.values(volume.secret) : []))
    .map((data) => Buffer.from(data, 'base64').toString('utf8'))
    .join('\n');

describe('a pod that asks for what only the agent gives', () => {
  it('gets it from the app: where its reports go, and a key of its own', async () => {
    const { world, sent } = await worldOf(known);
    const { uid } = world.createPod('exits-3', { hostAliases }).metadata;
    await world.run(60);
    expect(world.statusOf()).toBe('Failed, main: Error 3');
    const [body] = sent;
    if (body === undefined) throw new Error('no PUT');
    expect(body.initContainers[0]).toMatchObject({ image, command: ['/sk', 'install'] });
    const tags = readAgentTags(body.tags);
    expect(tags).toMatchObject({ digest: `sha256:${'1'.repeat(64)}`, kid: 'r1' });
    const orders = secretsOf(body);
    expect(orders).toContain(`https://kubelet.example/api/pods/${uid}/reports`);
    const key = agentKey(root, { podUid: uid, nonce: tags?.nonce ?? '' }).toString('base64');
    expect(orders).toContain(key);
    for (const told of [world.row(), world.pod(), world.warnings, body.tags])
      expect(JSON.stringify(told)).not.toContain(key);
  });

  it('is the same group, to the byte, where nobody answered the first PUT', async () => {
    const { world, sent } = await worldOf(known);
    world.groups.inject({
      method: 'createOrUpdate',
      moment: 'before',
      fault: { kind: 'transient', message: 'connection reset' },
      times: 1,
    });
    world.createPod('exits-3', { hostAliases });
    await world.run(200);
    expect(world.statusOf()).toBe('Failed, main: Error 3');
    expect(sent).toHaveLength(2);
    expect(sent[1]).toEqual(sent[0]);
  });

  it('has another key in each group that is made anew', async () => {
    const { world, sent } = await worldOf(known);
    world.createPod('serves', { hostAliases, restartPolicy: 'Always' });
    await world.run(60);
    world.groups.removeGroup(world.groups.names()[0] ?? '');
    await world.run(400);
    expect(world.statusOf()).toBe('Running, main: running');
    expect(sent.length).toBeGreaterThan(1);
    expect(new Set(noncesOf(sent)).size).toBe(sent.length);
  });

  it('waits, and says so, where the app has no roots of keys', async () => {
    const { world, sent } = await worldOf(withoutKeys);
    world.createPod('exits-3', { hostAliases });
    await world.run(60);
    expect(world.statusOf()).toBe('Pending, main: CreateContainerConfigError');
    expect(sent).toEqual([]);
  });

  it.each<[string, Readonly<Record<string, string>>, string, number]>([
    ['has it', known, 'exits-3', 1],
    ['runs without it where the app has no roots of keys', withoutKeys, 'exits-3', 0],
    ['runs without it where the registry does not say what its program is', known, 'unknown', 0],
  ])('and could do without, %s', async (_, settings, name, inits) => {
    const { world, sent } = await worldOf(settings);
    const digest = `sha256:${'ab'.repeat(32)}`;
    world.imageRegistry.put('index.docker.io/library/exits-3', 'latest', { digest, config });
    world.createPod('exits-3', { hostname: 'db-0', containers: [{ name: 'main', image: name }] });
    await world.run(60);
    expect(sent.map(({ initContainers }) => initContainers.length)).toEqual([inits]);
  });

  it('fails, with the field, under AGENT=never', async () => {
    const { world, sent } = await worldOf({ ...known, AGENT: 'never' });
    world.createPod('exits-3', { hostAliases });
    await world.run(60);
    expect(world.pod()?.status.message).toBe(
      "Pod was rejected: spec.hostAliases: ACI can't add lines to /etc/hosts; the agent would give it, and the setting AGENT is never",
    );
    expect(sent).toEqual([]);
  });
});

describe('a pod that asks for nothing of it', () => {
  it('has no agent, no tag and no key', async () => {
    const { world, sent } = await worldOf(known);
    world.createPod('exits-3');
    await world.run(60);
    expect(sent).toHaveLength(1);
    expect(sent[0]?.initContainers).toEqual([]);
    expect(readAgentTags(sent[0]?.tags ?? {})).toBeUndefined();
    expect(JSON.stringify(world.row())).not.toContain('agentKey');
  });
});
