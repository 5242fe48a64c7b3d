/** Pods with the agent that are deleted: hooks, signals and the whole grace, and how their programs ended, as a kubelet has it. */
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settings } from './app-settings.ts';
import { recordPods } from './oracles.ts';
import {
  apply,
  createNamespace,
  field,
  groupOf,
  groups,
  output,
  phase,
  pod,
  podNames,
  podSpec,
  removeNamespace,
  target,
  until,
} from './cloud.ts';

const namespace = 'm-agent-drain';
const published = settings()['AGENT_IMAGE'];
const sh = (script: string): readonly string[] => ['sh', '-c', script];
/** Ends at SIGTERM after some seconds, with a code of its own. */
const handles = (code: number, seconds = 1): readonly string[] =>
  sh(
    `trap "echo caught TERM; sleep ${seconds}; echo cleaned up; exit ${code}" TERM; echo ready; while true; do sleep 1; done`,
  );
const deaf = sh('trap "" TERM; while true; do sleep 1; done');
const grace = (seconds: number) => ({ terminationGracePeriodSeconds: seconds });

interface Deletion {
  /** What the API server showed last: `phase name=code/reason`. */
  readonly last: string;
  readonly seconds: number;
  readonly log: string;
}

const recorder = recordPods(namespace);

/** The last that was seen of a pod, of all of its containers. */
function lastOf(name: string): string {
  const status = recorder.of(name)?.pod.status;
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const ends = containers.map(
    ({ name: one, state }) => `${one}=${state?.terminated?.exitCode}/${state?.terminated?.reason}`,
  );
  return [status?.phase, ...ends].join(' ');
}

/** What kubectl prints until it is ended. */
function following(...args: readonly string[]): { readonly stop: () => Promise<string> } {
  const child = spawn(target.binary, ['--kubeconfig', target.kubeconfig, ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const { promise, resolve } = Promise.withResolvers<string>();
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => void (text += chunk));
  child.once('close', () => resolve(text));
  return {
    stop: () => {
      child.kill();
      return promise;
    },
  };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function remove(name: string, ...more: readonly string[]): Promise<Deletion> {
  const follow = following('logs', '-f', '-n', namespace, name);
  await pause(2_500);
  const startedMs = Date.now();
  await output('delete', 'pod', '-n', namespace, name, '--timeout=90s', ...more);
  const seconds = (Date.now() - startedMs) / 1000;
  await pause(2_500);
  return { last: lastOf(name), seconds, log: await follow.stop() };
}

const runs = (name: string): Promise<string> =>
  until(
    `${name} runs`,
    () => phase(name, namespace),
    (seen) => seen === 'Running',
    120_000,
  );
const isReady = (name: string): Promise<string> =>
  until(
    `${name} is ready`,
    () => field('pod', name, '{.status.containerStatuses[0].ready}', namespace),
    (ready) => ready === 'true',
    120_000,
  );

describe.runIf(published !== undefined)('deleted pods that have the agent', () => {
  beforeAll(async () => {
    await createNamespace(namespace);
    await apply(
      pod('handler', { namespace, command: handles(7, 4), spec: grace(30) }),
      pod('zero', { namespace, command: handles(0), restartPolicy: 'Always', spec: grace(30) }),
      pod('hooked', {
        namespace,
        command: sh('trap "cat /tmp/hooked; exit 0" TERM; echo ready; while true; do sleep 1; done'),
        restartPolicy: 'Always',
        container: {
          lifecycle: {
            postStart: { exec: { command: sh('date >/tmp/started') } },
            preStop: { exec: { command: sh('sleep 10; echo hook >/tmp/hooked') } },
          },
        },
        spec: grace(30),
      }),
      pod('deaf', { namespace, command: deaf, spec: grace(6) }),
      pod('sooner', { namespace, command: deaf, spec: grace(120) }),
      pod('deadline', { namespace, command: handles(3), spec: { ...grace(20), activeDeadlineSeconds: 25 } }),
      pod('sidecar', {
        namespace,
        command: handles(4, 2),
        spec: {
          ...grace(30),
          initContainers: [
            {
              name: 'proxy',
              image: 'busybox:1.36',
              restartPolicy: 'Always',
              command: sh('trap "exit 5" TERM; while true; do sleep 1; done'),
            },
          ],
        },
      }),
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'many', namespace },
        spec: {
          replicas: 10,
          selector: { matchLabels: { app: 'many' } },
          template: {
            metadata: { labels: { app: 'many' } },
            spec: podSpec({ command: handles(0, 2), restartPolicy: 'Always', spec: grace(30) }),
          },
        },
      },
    );
  });
  afterAll(async () => {
    await recorder.stop();
    await removeNamespace(namespace);
  });

  it('past activeDeadlineSeconds: Failed, DeadlineExceeded, with the code of the program', async () => {
    await until(
      'the deadline',
      () => phase('deadline', namespace),
      (seen) => seen === 'Failed',
      120_000,
    );
    expect(await field('pod', 'deadline', '{.status.reason}', namespace)).toBe('DeadlineExceeded');
    expect(await field('pod', 'deadline', '{.status.containerStatuses[0].state.terminated.exitCode}', namespace)).toBe(
      '3',
    );
  });

  it('end with the code of a program that handles SIGTERM, and its last words', async () => {
    await runs('handler');
    const { last, seconds, log } = await remove('handler');
    expect(last).toBe('Failed main=7/Error');
    expect(log.trim().split('\n')).toEqual(['ready', 'caught TERM', 'cleaned up']);
    expect(seconds).toBeGreaterThan(4);
  });

  it('are Succeeded where it ends with 0, though ACI would start it again', async () => {
    await runs('zero');
    expect((await remove('zero')).last).toBe('Succeeded main=0/Completed');
  });

  it('run their hook first, which is of the grace', async () => {
    await isReady('hooked');
    const { last, seconds, log } = await remove('hooked');
    expect(last).toBe('Succeeded main=0/Completed');
    expect(log.trim().split('\n')).toEqual(['ready', 'hook']);
    expect(seconds).toBeGreaterThanOrEqual(10);
  });

  it('are killed when the grace is over, and no later', async () => {
    await runs('deaf');
    const { last, seconds } = await remove('deaf');
    expect(last).toBe('Failed main=137/Error');
    expect(seconds).toBeGreaterThanOrEqual(5);
    expect(seconds).toBeLessThan(60);
  });

  it('hear of a grace that becomes shorter', async () => {
    await runs('sooner');
    await output('delete', 'pod', '-n', namespace, 'sooner', '--wait=false');
    await pause(3_000);
    const { last, seconds } = await remove('sooner', '--grace-period=5');
    expect(last).toBe('Failed main=137/Error');
    expect(seconds).toBeLessThan(60);
  });

  it('end their sidecars after the others', async () => {
    await runs('sidecar');
    const { last } = await remove('sidecar');
    expect(last).toBe('Failed proxy=5/Error main=4/Error');
  });

  it('ten at once each end as their programs do', async () => {
    const names = await until(
      'ten pods run',
      async () => {
        const found = await podNames('app=many', namespace);
        const phases = await Promise.all(found.map((name) => phase(name, namespace)));
        return phases.every((one) => one === 'Running') ? found : [];
      },
      (found) => found.length === 10,
      300_000,
    );
    await output('delete', 'deployment', '-n', namespace, 'many');
    await until(
      'they are gone',
      () => podNames('app=many', namespace),
      (left) => left.length === 0,
      240_000,
    );
    expect(names.map(lastOf)).toEqual(names.map(() => 'Succeeded main=0/Completed'));
    await until(
      'their groups are gone',
      async () => (await groups()).filter(({ tags }) => (tags['kubernetes-pod-name'] ?? '').startsWith('many-')).length,
      (count) => count === 0,
      60_000,
    );
    expect(await groupOf('zero', namespace)).toBeUndefined();
  });
});
