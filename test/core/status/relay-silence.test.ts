import { describe, expect, it } from 'vitest';
import type { Pod, PodStatus } from '../../../shared/core/kubernetes/pod.ts';
import { relaySilence, withRelaySilence } from '../../../shared/core/status/status.ts';
import type { RelaySilence } from '../../../shared/core/status/status.ts';
import { podOf, rawContainer } from '../pod/fixtures.ts';

const t0 = Date.UTC(2026, 10, 30, 11);

describe('a relay', () => {
  it.each<[string, number | undefined, number, RelaySilence]>([
    ['that has just called', t0, 0, undefined],
    ['that called not quite two minutes ago, calls', t0 - 119_999, 0, undefined],
    ['that called two minutes ago, is silent since then', t0 - 120_000, 60_000, t0 - 120_000],
    ['that never called has found nothing', undefined, 0, undefined],
    ['of which was read a while ago, may have called since', t0 - 120_000, 60_001, 'unknown'],
    ['of which was read a while ago, may be gone since', t0, 60_001, 'unknown'],
  ])('%s', (_, heardAt, ageMs, silence) => {
    expect(relaySilence({ heardAt, ageMs }, t0)).toBe(silence);
  });

  it('of which nothing was read is not known', () => expect(relaySilence(undefined, t0)).toBe('unknown'));
});

const note = 'the relay, which probes readiness, has not called since 2026-11-30T11:00:00Z: this is what it found last';

interface Shape {
  readonly before?: string;
  readonly message?: string;
  readonly phase?: PodStatus['phase'];
  readonly isProbed?: boolean;
  readonly isRunning?: boolean;
}

/** The messages of Ready and ContainersReady. */
function messages(silence: RelaySilence, shape: Shape = {}): readonly (string | undefined)[] {
  const { before, message, phase = 'Running', isProbed = true, isRunning = true } = shape;
  const conditions = (text: string | undefined) =>
    ['Ready', 'ContainersReady'].map((type) => ({
      type,
      status: 'True' as const,
      ...(text !== undefined && { message: text }),
    }));
  const probe = isProbed ? { readinessProbe: { httpGet: { port: 80 } } } : {};
  const empty = podOf({ containers: [rawContainer(probe)] });
  const pod: Pod = { ...empty, status: { ...empty.status, conditions: conditions(before) } };
  const status: PodStatus = {
    ...pod.status,
    phase,
    conditions: conditions(message),
    containerStatuses: [
      {
        name: 'main',
        image: 'busybox',
        imageID: '',
        ready: true,
        restartCount: 0,
        state: isRunning
          ? { kind: 'running', startedAt: '2026-11-30T10:00:00Z' }
          : { kind: 'waiting', reason: 'CrashLoopBackOff' },
      },
    ],
  };
  return withRelaySilence(pod, status, silence).conditions.map((condition) => condition.message);
}

describe('the message of Ready', () => {
  it.each<[string, RelaySilence, Shape, string | undefined]>([
    ['says since when nobody probes', t0, {}, note],
    ['says it behind what keeps the pod from being ready', t0, { message: 'why' }, `why; ${note}`],
    ['says nothing of it where the relay calls', undefined, { before: note, message: 'why' }, 'why'],
    ['says what it said where nothing is known', 'unknown', { before: `old; ${note}`, message: 'why' }, `why; ${note}`],
    ['says nothing where nothing is known, and nothing was said', 'unknown', { before: 'old' }, undefined],
    ['says nothing of a pod without a probe', t0, { isProbed: false }, undefined],
    ['says nothing of a container that does not run', t0, { isRunning: false }, undefined],
    ['says nothing of a pod that has ended', t0, { phase: 'Succeeded' }, undefined],
  ])('%s', (_, silence, shape, message) => {
    expect(messages(silence, shape)).toEqual([message, shape.message]);
  });
});
