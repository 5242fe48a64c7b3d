/** What is at the far end of a session that a relay asks for. */
import { describe, expect, it } from 'vitest';
import { answerContainer } from '../../shared/app/answer-container.ts';
import type { Answer } from '../../shared/app/run-http.ts';
import type { Fault } from '../../shared/core/fault.ts';
import { formatFarEnds, parseFarEnds } from '../../shared/wire/relay-protocol/far-ends.ts';
import { agentSettings as settings } from '../fixtures/settings.ts';
import { createWorld } from './world.ts';
import type { World } from './world.ts';

const { signal } = new AbortController();
const size = { terminalSize: { columns: 100, rows: 30 } };

/** A pod that runs, and what ARM was asked to start in it. */
async function running(hasAgent: boolean): Promise<{ readonly world: World; readonly started: string[] }> {
  const started: string[] = [];
  const world = await createWorld({
    settings,
    wrap: (deps) => ({
      ...deps,
      groups: {
        ...deps.groups,
        exec: (wish, ...more) => {
          started.push(wish.command);
          return deps.groups.exec(wish, ...more);
        },
        attach: (wish, ...more) => {
          started.push('');
          return deps.groups.attach(wish, ...more);
        },
      },
    }),
  });
  world.createPod('serves', hasAgent ? { hostAliases: [{ ip: '10.1.2.3', hostnames: ['db'] }] } : {});
  await world.run(60);
  expect(world.statusOf()).toContain('Running');
  return { world, started };
}

interface Asking {
  readonly offers?: string;
  readonly body?: unknown;
}

function ask(world: World, part: string, { offers = '', body = size }: Asking = {}): Promise<Answer> {
  const { namespace = '', name = '', uid = '' } = world.pod()?.metadata ?? {};
  const request = {
    method: 'POST',
    headers: new Headers(offers === '' ? {} : { 'x-serverless-kubelet-far-ends': offers }),
    params: { node: 'aci-1', namespace, pod: name, uid, container: 'main', part },
    query: new URLSearchParams(),
    text: async () => JSON.stringify(body),
  };
  return answerContainer(world.deps, world.clusterDeps(), request, signal);
}

describe('the far end of a session', () => {
  const agent = { farEnd: 'agent', word: '/.sk/x' };
  const shell = { farEnd: 'shell', word: '/bin/sh' };
  const seen = { farEnd: 'output', word: '' };
  it.each([
    { part: 'exec', hasAgent: true, offers: 'agent, ports', body: size, ...agent },
    { part: 'exec', hasAgent: true, offers: '', body: size, ...shell },
    { part: 'exec', hasAgent: true, offers: 'ports', body: size, ...shell },
    { part: 'exec', hasAgent: true, offers: 'agents,telepathy', body: size, ...shell },
    { part: 'attach', hasAgent: true, offers: 'agent', body: size, ...agent },
    { part: 'attach', hasAgent: true, offers: 'agent', body: {}, ...seen },
    { part: 'attach', hasAgent: true, offers: '', body: size, ...seen },
    { part: 'portforward', hasAgent: true, offers: 'ports', body: size, farEnd: 'ports', word: '/.sk/f' },
    { part: 'exec', hasAgent: false, offers: 'agent', body: size, ...shell },
    { part: 'attach', hasAgent: false, offers: 'agent', body: size, ...seen },
  ])('$part, agent: $hasAgent, a relay that offers "$offers", with $body: $farEnd', async (row) => {
    const { part, hasAgent, offers, body, farEnd, word } = row;
    const { world, started } = await running(hasAgent);
    expect(await ask(world, part, { offers, body })).toMatchObject({ status: 200, jsonBody: { farEnd } });
    expect(started).toEqual([word]);
  });

  it.each([
    ['without the agent', false, 'ports'],
    ['by a relay that does not offer it', true, ''],
  ])('of ports, %s: 404, and nothing is started', async (_, hasAgent, offers) => {
    const { world, started } = await running(hasAgent);
    expect(await ask(world, 'portforward', { offers })).toMatchObject({
      status: 404,
      jsonBody: { error: { code: 'NoAgent' } },
    });
    expect(started).toEqual([]);
  });

  it.each(['exec', 'portforward'])('%s without a size: 400', async (part) => {
    const { world, started } = await running(true);
    expect(await ask(world, part, { offers: 'agent, ports', body: {} })).toMatchObject({ status: 400 });
    expect(started).toEqual([]);
  });

  it('is known of a pod whose agents the row knows, and read of the tags once for many that come at once of others', async () => {
    const reads = ({ world }: { readonly world: World }, offers: string) =>
      world.count('groups.get', () => Promise.all(Array.from({ length: 50 }, () => ask(world, 'exec', { offers }))));
    expect(await reads(await running(true), 'agent')).toBe(0);
    const without = await running(false);
    expect([await reads(without, ''), await reads(without, 'agent')]).toEqual([0, 1]);
  });

  it('is read with the group where the rows are lost', async () => {
    const { world } = await running(true);
    world.store.clear();
    const reads = await world.count('groups.get', async () =>
      expect(await ask(world, 'exec', { offers: 'agent' })).toMatchObject({ jsonBody: { farEnd: 'agent' } }),
    );
    expect(reads).toBe(1);
  });

  it.each<[Fault, number]>([
    [{ kind: 'throttled', retryAfterMs: 1_500, message: 'm' }, 429],
    [{ kind: 'transient', message: 'm' }, 503],
  ])('can not be read (%j): %i, and nothing is started', async (fault, status) => {
    const { world, started } = await running(false);
    world.groups.inject({ method: 'get', moment: 'before', fault });
    expect(await ask(world, 'exec', { offers: 'agent' })).toMatchObject({ status });
    expect(started).toEqual([]);
  });
});

it('what a relay offers arrives as it was sent, without what nobody here knows', () => {
  expect(parseFarEnds(formatFarEnds(['ports', 'agent']))).toEqual(['agent', 'ports']);
  expect([parseFarEnds(undefined), parseFarEnds('shell, output, ,AGENT')]).toEqual([[], []]);
});
