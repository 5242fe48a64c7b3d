/** `kubectl attach` as it arrives at a node's port, down to the agent that was built, and the program that it stays beside. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { whyNoGo } from '../fixtures/agent-go.ts';
import { AgentStreams, ended } from '../relay/agent-streams.ts';
import type { ChannelClient } from '../relay/channel-client.ts';
import { until } from '../relay/fake-app.ts';

const reason = await whyNoGo();
const failedWith = (message: string): object => ({ status: 'Failure', reason: 'InternalError', message });

describe.skipIf(reason !== undefined)(
  `attach through the agent${reason === undefined ? '' : ` is not tried: ${reason}`}`,
  () => {
    const streams = AgentStreams.use();

    describe('attach', () => {
      const attach = (flags: string): Promise<ChannelClient> => streams.channels(`/attach/ns/p/c?${flags}`);
      const start = (name: string, program: object): { readonly exit: Promise<unknown> } => {
        const { orders, child } = streams.words.run(name, program);
        streams.rig.aci.agent = streams.words.of(orders);
        streams.rig.set({ container: program });
        return { exit: once(child, 'exit') };
      };
      const joined = async (flags: string): Promise<ChannelClient> => {
        // The agent takes a moment until it listens.
        for (;;) {
          const client = await attach(flags);
          await sleep(400);
          if (client.closeCode === undefined) return client;
        }
      };

      it('brings a shell its script, on two streams, and ends with it', async () => {
        const { exit } = start('build', { argv: ['sh'], stdin: true, stdinOnce: true });
        const client = await joined('input=1&output=1&error=1');
        client.send(0, 'echo out; echo err >&2\n');
        await until('it runs', () => client.text(1) === 'out\n' && client.text(2) === 'err\n');
        client.send(
          0,
          `${'true ".............................................................................."\n'.repeat(3_000)}exit 6\n`,
        );
        client.end(0);
        expect((await ended(client)).status).toMatchObject({ status: 'Success' });
        expect(await exit).toEqual([6, null]);
      });

      it('leaves the program at its terminal when the client goes, and lets another one in', async () => {
        const script = 'while read line; do echo "got $line"; stty size; done';
        start('terminal', { argv: ['sh', '-c', script], stdin: true, tty: true });
        const first = await joined('input=1&output=1&tty=1');
        first.send(4, '{"Width":70,"Height":20}');
        first.send(0, 'one\r');
        await until('it is heard', () => first.text(1).includes('got one\r\n'));
        first.socket.terminate();
        const second = await joined('input=1&output=1&tty=1');
        second.send(4, '{"Width":90,"Height":30}');
        await sleep(100);
        second.send(0, 'two\r');
        await until('so is the other', () => second.text(1).includes('30 90\r\n'));
        expect(second.text(1)).toContain('got two\r\n');
        second.socket.terminate();
      });

      it('says it where there is no agent any more', async () => {
        streams.rig.set({ container: { stdin: true } });
        expect((await ended(await attach('input=1&output=1'))).status).toMatchObject(
          failedWith('Internal error occurred: error attaching to container: no agent stays in this container'),
        );
      });
    });
  },
);
