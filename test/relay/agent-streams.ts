/** `kubectl` as it arrives at a node's port, down to the agent that was built, behind a real terminal. */
import { WebSocket } from 'ws';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { AgentWords } from '../fixtures/agent-words.ts';
import { ChannelClient } from './channel-client.ts';
import { until } from './fake-app.ts';
import { StreamRig } from './stream-rig.ts';

/** What a test speaks through: a rig of its own, and the agent of its file. */
export class AgentStreams {
  #words: AgentWords | undefined;
  #rig: StreamRig | undefined;

  /** In a `describe`: the agent is built before its tests, and each has a rig. */
  static use(): AgentStreams {
    const streams = new AgentStreams();
    beforeAll(async () => {
      streams.#words = await AgentWords.build();
    }, 300_000);
    afterAll(() => streams.#words?.close());
    beforeEach(() => streams.open({ presenceMs: 400, lookMs: 200, beginMs: 5_000 }));
    afterEach(() => streams.#rig?.close());
    return streams;
  }

  get words(): AgentWords {
    if (this.#words === undefined) throw new Error('the agent was not built');
    return this.#words;
  }

  get rig(): StreamRig {
    if (this.#rig === undefined) throw new Error('there is no rig');
    return this.#rig;
  }

  /** Another rig, with times of its own. */
  async open(times: Readonly<Record<string, number>>): Promise<void> {
    await this.#rig?.close();
    this.#rig = await StreamRig.open({ times });
    this.#rig.aci.agent = this.words.of();
  }

  async channels(path: string): Promise<ChannelClient> {
    const socket = await this.rig.webSocket(path, ['v5.channel.k8s.io']);
    if (socket instanceof WebSocket) return new ChannelClient(socket);
    throw new Error(`${socket.status}: ${socket.body}`);
  }

  exec(flags: string, ...command: readonly string[]): Promise<ChannelClient> {
    const words = command.map((word) => `command=${encodeURIComponent(word)}`).join('&');
    return this.channels(`/exec/ns/p/c?${flags}&${words}`);
  }
}

/** Resolves when the session has ended. */
export async function ended(client: ChannelClient): Promise<ChannelClient> {
  await until('the end', () => client.closeCode !== undefined, 30_000);
  return client;
}

export const sh = (script: string, ...args: readonly string[]): readonly string[] => ['sh', '-c', script, ...args];

/** The status of a command that ended with a code. */
export const codeOf = (code: number): object =>
  code === 0 ? { status: 'Success' } : { details: { causes: [{ reason: 'ExitCode', message: String(code) }] } };
