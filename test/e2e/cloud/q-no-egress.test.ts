/** An agent that does not get through to the app: what is in its way is named, and what it had to say comes when it does. */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settings } from './app-settings.ts';
import { apply, createNamespace, eventsOf, field, phase, pod, removeNamespace, until } from './cloud.ts';

const namespace = 'q-no-egress';
const { AGENT_IMAGE: published, APP_URL: appUrl = '' } = settings();
const { hostname, port } = new URL(appUrl === '' ? 'http://none' : appUrl);
/** What a security group does to what goes out to the app: nothing comes back. */
const rule = ['INPUT', '!', '-i', 'lo', '-p', 'tcp', '-d', hostname, '--dport', port, '-j', 'DROP'];
const firewall = (action: '--insert' | '--delete'): void => void execFileSync('iptables', ['--wait', action, ...rule]);

const status = (name: string, path: string): Promise<string> =>
  field('pod', name, `{.status.containerStatuses[0].${path}}`, namespace);

describe.runIf(published !== undefined && appUrl !== '')('an agent without a way to the app', () => {
  let isShut = false;
  const open = (): void => {
    if (isShut) firewall('--delete');
    isShut = false;
  };
  beforeAll(async () => {
    await createNamespace(namespace);
    firewall('--insert');
    isShut = true;
    const exec = (command: readonly string[]) => ({ exec: { command } });
    await apply(
      pod('serves', {
        namespace,
        command: ['sh', '-c', 'trap "exit 3" TERM; touch /tmp/ready; while :; do sleep 0.2; done'],
        container: { readinessProbe: { ...exec(['cat', '/tmp/ready']), periodSeconds: 1 } },
      }),
      pod('ends', {
        namespace,
        command: ['sh', '-c', 'sleep 5; echo no room; exit 4'],
        container: { lifecycle: { postStart: exec(['true']) }, terminationMessagePolicy: 'FallbackToLogsOnError' },
      }),
    );
  });
  afterAll(async () => {
    open();
    await removeNamespace(namespace);
  });

  it('runs its program meanwhile, and its pod is not ready, as nobody has said that it is', async () => {
    await until(
      'serves runs',
      () => phase('serves', namespace),
      (seen) => seen === 'Running',
      120_000,
    );
    expect(await status('serves', 'ready')).toBe('false');
  });

  it('an end is in the status from ACI’s own view, with its code', async () => {
    await until(
      'ends has ended',
      () => phase('ends', namespace),
      (seen) => seen === 'Failed',
      180_000,
    );
    expect(await status('ends', 'state.terminated.exitCode')).toBe('4');
  });

  it('a Warning names what is in the way, once', async () => {
    const events = await until(
      'the Warning',
      () => eventsOf('serves', namespace, '{.type} {.reason} {.count}: {.message}'),
      (seen) => seen.includes('AgentSilent'),
      240_000,
    );
    const said = events.split('\n').filter((line) => line.includes('AgentSilent'));
    expect(said).toEqual([
      expect.stringMatching(
        /^Warning AgentSilent 1?: The agent of container main .*: the group reaches nothing outside: /,
      ),
    ]);
    expect(said[0]).toContain(hostname);
  });

  it('is heard as soon as there is a way again', async () => {
    open();
    await until(
      'serves is ready',
      () => status('serves', 'ready'),
      (seen) => seen === 'true',
      180_000,
    );
    expect(await status('serves', 'restartCount')).toBe('0');
  });
});
