/** `kubectl logs --previous` as it arrives at a node's port, down to the agent that was built, behind a real terminal. */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { whyNoGo } from '../fixtures/agent-go.ts';
import { AgentStreams, sh } from '../relay/agent-streams.ts';
import { until } from '../relay/fake-app.ts';

const reason = await whyNoGo();
const path = '/containerLogs/ns/p/c?previous=true';
const terminated = { terminated: { exitCode: 3 } };

describe.skipIf(reason !== undefined)(
  `the log of the run before${reason === undefined ? '' : ` is not tried: ${reason}`}`,
  () => {
    const streams = AgentStreams.use();
    const show = async (query = '') => streams.rig.call(`${path}${query}`, 'GET');
    /** A run of a container whose output is kept. */
    const run = async (name: string, script: string): Promise<string> => {
      const { orders, child } = streams.words.run(name, { argv: sh(script) }, { keepLog: true });
      await once(child, 'exit');
      return orders;
    };

    it('is shown as kubectl wants it, while the next one runs', async () => {
      const script = 'for i in 1 2 3; do echo line $i; done; echo oops >&2; printf end; exit 3';
      await run('kept', script);
      const { orders } = streams.words.run('kept', { argv: sh('echo of now; sleep 60') }, { keepLog: true });
      streams.rig.aci.agent = streams.words.of(orders);
      streams.rig.set({ lastState: terminated });
      await until('the next runs', async () => (await show()).status === 200);
      const whole = await show();
      expect(whole.body.split('\n').toSorted()).toEqual(['', 'end', 'line 1', 'line 2', 'line 3', 'oops']);
      expect(whole.body).not.toContain('of now');
      expect((await show('&tailLines=1')).body.split('\n')).toHaveLength(2);
      expect((await show('&limitBytes=3')).body).toHaveLength(3);
      expect((await show('&timestamps=true')).body).toMatch(/^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z .*\n){5}$/);
      expect((await show('&sinceTime=2100-01-01T00:00:00Z')).body).toBe('');
      expect(streams.rig.sessions.size).toBe(0);
    });

    it('that nobody kept is not found, and what would have kept it is said', async () => {
      streams.rig.set({ lastState: terminated });
      for (const agent of [streams.words.of(), undefined]) {
        streams.rig.aci.agent = agent;
        expect(await show()).toMatchObject({
          status: 400,
          body: expect.stringMatching(
            /^previous terminated container "c" in pod "p" not found: .* terminationMessagePolicy: FallbackToLogsOnError\n$/,
          ),
        });
      }
    });

    it('costs no session where there was no run before', async () => {
      expect(await show()).toMatchObject({
        status: 400,
        body: 'previous terminated container "c" in pod "p" not found\n',
      });
      expect(streams.rig.asked).toEqual([]);
    });

    it('that Azure gives no session for is said so', async () => {
      streams.rig.set({ lastState: terminated });
      streams.rig.answerNext({
        kind: 'answer',
        status: 404,
        body: '{"error":{"code":"Gone","message":"no group"}}',
        retryAfterMs: undefined,
      });
      expect(await show()).toMatchObject({
        status: 503,
        body: 'the previous log of container "c" can\'t be read: no group\n',
      });
    });
  },
);
