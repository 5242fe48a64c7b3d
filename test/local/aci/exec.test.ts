import { describe, expect, it } from 'vitest';
import { answerAdmin } from '../../../infra/local/aci/admin.ts';
import { defaultExecKnobs, splitCommand } from '../../../infra/local/aci/exec/knobs.ts';
import type { ArmResponse } from '../../../infra/local/aci/json.ts';
import { containerBody, createBench, groupBody, groupsPath, scripted, subscription } from './harness.ts';
import type { Answer, Bench } from './harness.ts';

const size = { rows: 24, cols: 80 };
const body = { command: '/bin/sh', terminalSize: size };
const exec = (bench: Bench, path: string, sent: unknown = body): Promise<Answer> =>
  bench.request('POST', `${groupsPath}/${path}/exec`, { body: sent });
const attach = (bench: Bench, path: string): Promise<Answer> => bench.request('POST', `${groupsPath}/${path}/attach`);
const admin = (bench: Bench, method: string, sent?: object): Promise<ArmResponse> =>
  answerAdmin(bench.core, {
    method,
    url: '/_emulator/exec',
    headers: {},
    body: sent === undefined ? '' : JSON.stringify(sent),
    origin: 'http://admin',
  });
const guid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';

describe('POST exec and attach', () => {
  it('88 exec: 200 with an address of its own and a password, and nothing else', async () => {
    const bench = createBench();
    await bench.running('g');
    const { status, raw } = await exec(bench, 'g/containers/c');
    expect(status).toBe(200);
    expect(raw.body).toEqual({
      webSocketUri: expect.stringMatching(
        new RegExp(`^wss://localhost:19390/execstream/sessionId/${guid}\\?api-version=1\\.0&rows=24&cols=80$`),
      ),
      password: expect.stringMatching(/^[!-~]{40}\[\[EOM\]\]$/),
    });
  });

  it('91 attach: the same, without a size; it has no body', async () => {
    const bench = createBench();
    await bench.running('g');
    const { status, raw } = await attach(bench, 'g/containers/c');
    expect(status).toBe(200);
    expect(raw.body).toEqual({
      webSocketUri: expect.stringMatching(
        new RegExp(`^wss://localhost:19390/logstream/sessionId/${guid}\\?api-version=1\\.0$`),
      ),
      password: expect.any(String),
    });
  });

  it('gives each session an address and a password of its own', async () => {
    const bench = createBench();
    await bench.running('g');
    const answers = await Promise.all(Array.from({ length: 50 }, () => exec(bench, 'g/containers/c')));
    for (const member of ['webSocketUri', 'password'])
      expect(new Set(answers.map((answer) => answer.body[member])).size).toBe(50);
  });

  it('a body without a size is taken, and names are those of any case', async () => {
    const bench = createBench();
    await bench.running('g');
    const { body: answer } = await exec(bench, 'G/Containers/c', { command: 'sh' });
    expect(answer['webSocketUri']).toMatch(/&rows=24&cols=80$/);
  });

  it.each([
    ['no JSON', '{'],
    ['nothing', ''],
    ['null', null],
    ['a list', []],
    ['no command', { terminalSize: size }],
    ['an empty command', { command: ' ', terminalSize: size }],
    ['a list as the command', { command: ['sh', '-c', 'x'], terminalSize: size }],
    ['a size without columns', { command: 'sh', terminalSize: { rows: 24 } }],
    ['a size of text', { command: 'sh', terminalSize: { rows: '24', cols: '80' } }],
    ['no rows at all', { command: 'sh', terminalSize: { rows: 0, cols: 80 } }],
    ['half a column', { command: 'sh', terminalSize: { rows: 24, cols: 80.5 } }],
  ])('exec with %s: 400 InvalidRequestContent', async (_, sent) => {
    const bench = createBench();
    await bench.running('g');
    const answer = await exec(bench, 'g/containers/c', sent);
    expect([answer.status, answer.body.error.code]).toEqual([400, 'InvalidRequestContent']);
  });

  const verbs = [
    ['exec', exec],
    ['attach', attach],
  ] as const;

  describe.each(verbs)('%s', (verb, send) => {
    it('of a group or a container that is not there: 404', async () => {
      const bench = createBench();
      await bench.running('g');
      const group = await send(bench, 'none/containers/c');
      expect([group.status, group.body.error.code]).toEqual([404, 'ResourceNotFound']);
      const container = await send(bench, 'g/containers/none');
      expect([container.status, container.body.error.code]).toEqual([404, 'ContainerNotFound']);
    });

    it('of a group in transition: 409, and 200 afterwards', async () => {
      const bench = createBench();
      await bench.put('g');
      await bench.clock.advance(3000);
      const early = await send(bench, 'g/containers/c');
      expect([early.status, early.body.error.code]).toEqual([409, 'ContainerGroupTransitioning']);
      await bench.clock.advance(13_000);
      expect((await send(bench, 'g/containers/c')).status).toBe(200);
    });

    it('of a stopped group: 409', async () => {
      const bench = createBench();
      await bench.running('g');
      await bench.post('g', 'stop');
      const answer = await send(bench, 'g/containers/c');
      expect([answer.status, answer.body.error.code]).toEqual([409, 'ContainerGroupStopped']);
    });

    it('of a container that has ended, of one that waits and of an init container: 200', async () => {
      const bench = createBench();
      await bench.running('ended', scripted('Never', [{ runMs: 10, exitCode: 3 }]));
      await bench.running('waits', scripted('OnFailure', [{ runMs: 10, exitCode: 3 }]));
      await bench.running(
        'init',
        groupBody({ initContainers: [containerBody('i', { resources: undefined }, [{ runMs: 10 }])] }),
      );
      await bench.clock.advance(20_000);
      expect((await bench.container('waits')).currentState.state).toBe('Waiting');
      for (const path of ['ended/containers/c', 'waits/containers/c', 'init/containers/i'])
        expect([path, (await send(bench, path)).status]).toEqual([path, 200]);
    });

    it('needs an action of its own', async () => {
      const action = `Microsoft.ContainerInstance/containerGroups/containers/${verb}/action`;
      const others = ['exec/action', 'attach/action', 'logs/read']
        .map((name) => `Microsoft.ContainerInstance/containerGroups/containers/${name}`)
        .filter((name) => name !== action);
      const sendWith = async (actions: readonly string[]): Promise<Answer> => {
        const scope = `/subscriptions/${subscription}/resourceGroups/rg`;
        const bench = createBench({
          principals: [{ clientId: 'a', objectId: 'a', assignments: [{ actions, scope }] }],
        });
        return send(bench, 'none/containers/c');
      };
      expect((await sendWith([action])).status).toBe(404);
      const denied = await sendWith(others);
      expect([denied.status, denied.body.error.code]).toEqual([403, 'AuthorizationFailed']);
      expect(denied.body.error.message).toContain(`'${action}'`);
    });

    it('is a write to ARM, and no create to ACI', async () => {
      const bench = createBench();
      await bench.running('g');
      const { headers } = await send(bench, 'g/containers/c');
      const counters = Object.keys(headers).filter((name) => name.startsWith('x-ms-ratelimit-'));
      expect(counters).toEqual(['x-ms-ratelimit-remaining-subscription-writes']);
    });
  });

  it('leave no password in the journal', async () => {
    const bench = createBench();
    await bench.running('g');
    const { body: answer } = await exec(bench, 'g/containers/c');
    const journal = JSON.stringify(bench.core.state.journal.requests.all());
    expect(journal).toContain('/containers/c/exec');
    expect(journal).not.toContain(JSON.stringify(answer['password']).slice(1, -1));
  });
});

describe('the knobs of exec', () => {
  it('are turned at the admin port, one by one', async () => {
    const bench = createBench({ knobs: { execPasswordSeconds: 120 } });
    const before = { ...defaultExecKnobs, execPasswordSeconds: 120 };
    expect((await admin(bench, 'GET')).body).toEqual(before);
    expect((await admin(bench, 'POST', { execMaxMessageBytes: 50 })).body).toEqual({
      ...before,
      execMaxMessageBytes: 50,
    });
    expect((await admin(bench, 'POST', { execMaxMessageBytes: null, execSplit: 'blanks' })).body).toEqual({
      ...before,
      execSplit: 'blanks',
    });
    for (const bad of [{ execSplit: 'shell' }, { execMaxMessageBytes: 0 }, { execunreachable: true }])
      expect((await admin(bench, 'POST', bad)).status).toBe(400);
  });

  it.each([
    ['sh', 'word', ['sh']],
    ['ls -l /', 'word', ['ls -l /']],
    ['ls -l /', 'blanks', ['ls', '-l', '/']],
    ['sh -c "echo  x"', 'blanks', ['sh', '-c', '"echo', 'x"']],
    [' /.sk/a ', 'blanks', ['/.sk/a']],
  ] as const)('%s as %s', (command, split, words) => {
    expect(splitCommand(command, split)).toEqual(words);
  });
});
