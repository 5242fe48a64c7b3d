import { describe, expect, it } from 'vitest';
import { awaited, awaitedFor } from '../../../shared/core/agent/awaited.ts';
import type { Service } from '../../../shared/core/agent/awaited.ts';
import { readTierTags } from '../../../shared/core/agent/tier-tags.ts';
import type { Pod } from '../../../shared/core/kubernetes/pod.ts';
import { compatibilityTable } from '../../../shared/core/pod/compatibility.ts';
import { inspectPod } from '../../../shared/core/pod/inspect.ts';
import { podOf, rawContainer, withContainer } from '../pod/fixtures.ts';
import type { Raw } from '../pod/fixtures.ts';
import { grouped, node, references } from './fixtures.ts';

const serving = (...serves: Service[]) => ({ ...node, agent: { ...node.agent, mode: 'auto' as const, serves } });
const refusalOf = (pod: Pod, facts = serving()): string | undefined => inspectPod(pod, facts).refusal?.message;
const tierOf = (pod: Pod, facts = serving()): string =>
  readTierTags(grouped(pod, references(), facts).body.tags)?.tier ?? 'T0';
const notesOf = (pod: Pod, facts = serving()): readonly string[] =>
  inspectPod(pod, facts).notices.map(({ message }) => message);

const hook = { exec: { command: ['/x'] } };
const unheard =
  'the agent would give it, but this version of the app does not hear yet what it reports, so the status of the pod would not show it';
const sidecar = rawContainer({ name: 'proxy', restartPolicy: 'Always' });

describe('as long as the app does not do its part', () => {
  it.each<[string, Raw, Service, RegExp]>([
    [
      'a startup probe',
      { startupProbe: hook },
      'reports',
      new RegExp(`^spec\\.containers\\[0\\]\\.startupProbe: .+; ${unheard}$`),
    ],
    [
      'a readiness probe by exec',
      { readinessProbe: hook },
      'reports',
      new RegExp(`readinessProbe\\.exec: .+; ${unheard}$`),
    ],
    [
      'a file with the termination message',
      { terminationMessagePath: '/x' },
      'reports',
      /terminationMessagePath: .+ would not show it$/,
    ],
    [
      'a restart policy of its own',
      { restartPolicy: 'OnFailure' },
      'reports',
      /containers\[0\]\.restartPolicy: .+ would not show it$/,
    ],
    [
      'a stop signal',
      { lifecycle: { stopSignal: 'SIGQUIT' } },
      'drain',
      /stopSignal: .+ when the pod is deleted, ACI does$/,
    ],
    ['an input', { stdin: true }, 'streams', /stdin: .+ any input yet$/],
  ])('%s is refused, in one sentence, and given with it', (_, container, service, why) => {
    expect(refusalOf(withContainer(container))).toMatch(why);
    expect(refusalOf(withContainer(container), serving(service))).toBeUndefined();
  });

  it.each<[string, Raw]>([
    ['a liveness probe by tcp', { livenessProbe: { tcpSocket: { port: 80 } } }],
    ['one with a grace of its own', { livenessProbe: { ...hook, terminationGracePeriodSeconds: 5 } }],
    ['hooks', { lifecycle: { postStart: hook, preStop: hook } }],
    ['a terminal', { tty: true }],
  ])('%s is given', (_, container) => expect(tierOf(withContainer(container))).toBe('T2'));

  it.each<[string, Raw, Raw]>([
    ['the default path of the termination message', { args: ['>/dev/termination-log'] }, {}],
    ['a long grace period', {}, { terminationGracePeriodSeconds: 31 }],
  ])('%s is no reason for the agent', (_, container, spec) =>
    expect(tierOf(withContainer(container, spec))).toBe('T0'),
  );

  it('what of a hook is not done is noted', () => {
    const pod = withContainer({ lifecycle: { preStop: hook } });
    expect(notesOf(pod)).toEqual([
      expect.stringContaining('spec.containers[0].lifecycle.preStop.exec: it runs where a probe'),
    ]);
    expect(notesOf(pod, serving('drain'))).toEqual([]);
  });

  it('a sidecar runs; that nobody counts its restarts is noted where the group would not restart it', () => {
    const pod = (restartPolicy: string) => podOf({ initContainers: [sidecar], restartPolicy });
    expect(tierOf(pod('Never'))).toBe('T2');
    expect(notesOf(pod('Never'))).toEqual([
      expect.stringContaining('spec.initContainers[0].restartPolicy: where the agent'),
    ]);
    expect(notesOf(pod('Always'))).toEqual([]);
  });

  it('an init container behind a sidecar is refused, as the others wait for it inside', () => {
    const pod = podOf({ initContainers: [sidecar, rawContainer({ name: 'migrate' })] });
    expect(refusalOf(pod)).toMatch(/^spec\.initContainers\[1\]: it comes after a sidecar/);
    expect(refusalOf(pod, serving('reports'))).toBeUndefined();
  });

  it('no volume is live, and a token that ends is noted', () => {
    const volumes = [
      { name: 't', projected: { sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 3607 } }] } },
    ];
    const pod = withContainer(
      { volumeMounts: [{ name: 't', mountPath: '/t' }], lifecycle: { postStart: hook } },
      { volumes },
    );
    const day = references({}, { tokens: [{ value: 'x', lifetimeSeconds: 86_400 }] });
    const now = grouped(pod, day, serving());
    expect(now.orders['main']?.live).toBeUndefined();
    expect(now.notices.map(({ reason }) => reason)).toEqual(['TokenNotRenewed']);
    expect(grouped(pod, day, serving('files')).orders['main']?.live).toEqual([{ name: 't', path: '/.sk-v/0' }]);
  });

  it('names only fields that the table knows', () => {
    const known = compatibilityTable.map(({ path }) => path);
    const isKnown = (field: string): boolean =>
      known.some((path) => path === field || path.startsWith(`${field}.`) || field.startsWith(`${path}.`));
    expect(awaited.map(({ field }) => field).filter((field) => !isKnown(field))).toEqual([]);
    expect(awaited.filter(({ field }) => awaitedFor(field, []) === undefined)).toEqual([]);
  });
});
