/** Whether the app itself reaches a session with a container, for a relay that asks. */
import { describe, expect, it } from 'vitest';
import { answerContainer } from '../../shared/app/answer-container.ts';
import type { Answer } from '../../shared/app/run-http.ts';
import { fail, ok } from '../../shared/core/fault.ts';
import type { Result } from '../../shared/core/fault.ts';
import { createWorld } from './world.ts';
import type { World } from './world.ts';

const { signal } = new AbortController();

/** A pod that runs, with what dialling comes to. */
async function running(dialled: Result<void>): Promise<World> {
  const world = await createWorld({ wrap: (deps) => ({ ...deps, dialSession: () => Promise.resolve(dialled) }) });
  world.createPod('serves');
  await world.run(60);
  expect(world.statusOf()).toContain('Running');
  return world;
}

function ask(world: World, params: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const { namespace = '', name = '', uid = '' } = world.pod()?.metadata ?? {};
  const request = {
    method: 'POST',
    headers: new Headers(),
    params: { node: 'aci-1', namespace, pod: name, uid, container: 'main', part: 'session-dial', ...params },
    query: new URLSearchParams(),
    text: async () => '{}',
  };
  return answerContainer(world.deps, world.clusterDeps(), request, signal);
}

describe('the way from the app to sessions', () => {
  it('is open', async () => {
    const world = await running(ok(undefined));
    expect(await ask(world)).toMatchObject({ status: 200, jsonBody: { reached: true } });
    expect(world.calls.filter((call) => call.includes('exec'))).toEqual([]);
  });

  it('is not, and why', async () => {
    const world = await running(fail({ kind: 'transient', message: 'a firewall' }));
    expect(await ask(world)).toMatchObject({ status: 200, jsonBody: { reached: false, message: 'a firewall' } });
  });

  it.each([
    ['an unknown node', { node: 'aci-9' }, 404],
    ['an unknown pod', { uid: '00000000-0000-4000-8000-000000000000' }, 404],
    ['what is no name of a container', { container: '..' }, 400],
  ])('%s: %o', async (_, params, status) => {
    expect(await ask(await running(ok(undefined)), params)).toMatchObject({ status });
  });
});
