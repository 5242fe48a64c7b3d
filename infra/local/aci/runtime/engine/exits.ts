import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { ContainerEnd } from '../runtime.ts';
import { isAbsent } from './client.ts';
import type { EngineClient } from './client.ts';
import { kernelSaysOutOfMemory } from './kernel-log.ts';

export const containerInspect = z.object({
  Id: z.string(),
  LogPath: z.string().optional(),
  State: z.object({
    Status: z.string(),
    Pid: z.number().default(0),
    ExitCode: z.number(),
    OOMKilled: z.boolean().default(false),
    StartedAt: z.string(),
    FinishedAt: z.string(),
  }),
  NetworkSettings: z
    .object({ Networks: z.record(z.string(), z.object({ IPAddress: z.string() })).nullish() })
    .optional(),
});
export type ContainerInspect = z.infer<typeof containerInspect>;

export function inspectContainer(client: EngineClient, id: string): Promise<ContainerInspect> {
  return client.json(containerInspect, { method: 'GET', path: `/containers/${encodeURIComponent(id)}/json` });
}

export interface ExitWatcher {
  /** Resolves once when the container has ended; a container that was removed while it ran counts as killed (137). */
  watch(id: string): Promise<ContainerEnd>;
  /** The container is gone from the engine: whoever still waits for it is answered. */
  forget(id: string): void;
  close(): Promise<void>;
}

interface Waiter {
  readonly promise: Promise<ContainerEnd>;
  resolve(end: ContainerEnd): void;
}

const resyncMs = 10_000;
const reconnectMs = 250;
const event = z.object({ id: z.string().optional(), Actor: z.object({ ID: z.string() }).optional() });

/**
 * Learns of ends from one event stream for all containers. The `wait` endpoint is not used: Podman polls in it, and 60
 * waiting calls were measured to take more than one core. What the stream may lose (a reconnect) a resync finds.
 */
export function createExitWatcher(client: EngineClient, log: (line: string) => void): ExitWatcher {
  const waiters = new Map<string, Waiter>();
  const closing = new AbortController();

  const settle = (id: string, end: ContainerEnd) => {
    waiters.get(id)?.resolve(end);
    waiters.delete(id);
  };
  const look = async (id: string): Promise<boolean> => {
    const end = await endOf(client, id);
    if (end !== undefined) settle(id, end);
    return end !== undefined;
  };
  // The event may come before the engine itself has read the end.
  const pollUntilEnded = async (id: string) => {
    for (let attempt = 0; waiters.has(id) && attempt < 100; attempt += 1) {
      if (await look(id)) return;
      await sleep(50);
    }
  };
  const resync = async () => {
    for (const id of waiters.keys()) await look(id);
  };
  const guarded = (work: Promise<unknown>) => {
    work.catch((error: unknown) => {
      if (!closing.signal.aborted) log(`could not look at an ended container: ${String(error)}`);
    });
  };
  const follow = async () => {
    while (!closing.signal.aborted) {
      try {
        await followEvents({
          client,
          signal: closing.signal,
          connected: () => guarded(resync()),
          died: (id) => waiters.has(id) && guarded(pollUntilEnded(id)),
        });
      } catch (error) {
        if (!closing.signal.aborted) log(`the engine's event stream broke: ${String(error)}`);
      }
      await sleep(reconnectMs);
    }
  };
  const following = follow();
  const timer = setInterval(() => guarded(resync()), resyncMs);
  timer.unref();

  return {
    watch(id) {
      const known = waiters.get(id);
      if (known !== undefined) return known.promise;
      const { promise, resolve } = Promise.withResolvers<ContainerEnd>();
      waiters.set(id, { promise, resolve });
      guarded(look(id));
      return promise;
    },
    forget: (id) => settle(id, killed()),
    async close() {
      closing.abort();
      clearInterval(timer);
      for (const id of waiters.keys()) settle(id, killed());
      await following;
    },
  };
}

interface FollowOptions {
  readonly client: EngineClient;
  readonly signal: AbortSignal;
  connected(): void;
  died(id: string): void;
}

async function followEvents(options: FollowOptions): Promise<void> {
  // Podman names the event "died" inside and "die" outside; an unknown name selects nothing on either.
  const filters = encodeURIComponent(JSON.stringify({ type: ['container'], event: ['die', 'died'] }));
  const stream = await options.client.stream({
    method: 'GET',
    path: `/events?filters=${filters}`,
    signal: options.signal,
  });
  options.connected();
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines.filter((text) => text.trim() !== '')) {
      const parsed = event.parse(JSON.parse(line));
      const id = parsed.Actor?.ID ?? parsed.id;
      if (id !== undefined) options.died(id);
    }
  }
}

/** The end of a container, or undefined while it has not ended. */
async function endOf(client: EngineClient, id: string): Promise<ContainerEnd | undefined> {
  try {
    const { State: state } = await inspectContainer(client, id);
    if (state.Status !== 'exited' && state.Status !== 'stopped' && state.Status !== 'dead') return undefined;
    // 137 without the engine's word for it may still be the kernel's doing.
    const oomKilled = state.OOMKilled || (state.ExitCode === 137 && kernelSaysOutOfMemory(id));
    return { exitCode: state.ExitCode, finishedAt: Date.parse(state.FinishedAt), oomKilled };
  } catch (error) {
    if (isAbsent(error)) return killed();
    throw error;
  }
}

function killed(): ContainerEnd {
  return { exitCode: 137, finishedAt: Date.now(), oomKilled: false };
}
