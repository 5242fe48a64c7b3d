import * as z from 'zod';
import type { ContainerState } from '../core/kubernetes/pod.ts';

/** A time that Go writes as null, or leaves out, when it is zero. */
const time = z.string().nullish();

export const podCondition = z
  .object({
    type: z.string(),
    status: z.enum(['True', 'False', 'Unknown']),
    reason: z.string().exactOptional(),
    message: z.string().exactOptional(),
    lastTransitionTime: time,
    lastProbeTime: time,
    observedGeneration: z.number().exactOptional(),
  })
  .transform(({ lastTransitionTime, lastProbeTime, ...condition }) => ({
    ...condition,
    ...(typeof lastTransitionTime === 'string' && { lastTransitionTime }),
    ...(typeof lastProbeTime === 'string' && { lastProbeTime }),
  }));

const waiting = z.object({ reason: z.string().default(''), message: z.string().exactOptional() });

const running = z.object({ startedAt: time });

const terminated = z.object({
  exitCode: z.number().default(0),
  reason: z.string().default(''),
  message: z.string().exactOptional(),
  startedAt: time,
  finishedAt: time,
  containerID: z.string().exactOptional(),
});

function terminatedState({ startedAt, finishedAt, ...rest }: z.output<typeof terminated>): ContainerState {
  return {
    kind: 'terminated',
    ...rest,
    ...(typeof startedAt === 'string' && { startedAt }),
    ...(typeof finishedAt === 'string' && { finishedAt }),
  };
}

const rawState = z.object({
  waiting: waiting.nullish(),
  running: running.nullish(),
  terminated: terminated.nullish(),
});

function toState({ waiting, running, terminated }: z.output<typeof rawState>): ContainerState | undefined {
  if (terminated) return terminatedState(terminated);
  if (running) return { kind: 'running', startedAt: running.startedAt ?? '' };
  return waiting ? { kind: 'waiting', ...waiting } : undefined;
}

/** None of the three members means waiting (API reference, `ContainerState`). */
const noState: ContainerState = { kind: 'waiting', reason: '' };

export const containerStatus = z
  .object({
    name: z.string(),
    image: z.string().default(''),
    imageID: z.string().default(''),
    containerID: z.string().exactOptional(),
    ready: z.boolean().default(false),
    started: z.boolean().nullish(),
    restartCount: z.number().default(0),
    state: rawState.nullish(),
    lastState: rawState.nullish(),
  })
  .transform(({ started, state, lastState, ...status }) => {
    const before = lastState ? toState(lastState) : undefined;
    return {
      ...status,
      ...(typeof started === 'boolean' && { started }),
      state: (state ? toState(state) : undefined) ?? noState,
      ...(before !== undefined && { lastState: before }),
    };
  });
