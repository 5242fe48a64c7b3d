/** What agents report becomes the status, as a kubelet's own pods have it: probes, ends, messages, sidecars, restarts. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settings } from './app-settings.ts';
import {
  apply,
  createNamespace,
  eventsOf,
  field,
  isOver,
  kubectl,
  output,
  phase,
  pod,
  podSpec,
  removeNamespace,
  until,
} from './cloud.ts';

const namespace = 'm-agent-reports';
const published = settings()['AGENT_IMAGE'];
const sh = (script: string): readonly string[] => ['sh', '-c', script];

const of = (name: string, path: string): Promise<string> => field('pod', name, path, namespace);
const ended = (name: string): Promise<string> => until(`${name} ends`, () => phase(name, namespace), isOver, 180_000);
const end = '{.status.containerStatuses[0].state.terminated';

/** A Deployment's first pod, as `ready restarts`. */
const shown = (app: string): Promise<string> => {
  const status = '{.status.containerStatuses[0].ready} {.status.containerStatuses[0].restartCount}';
  return output('get', 'pods', '-n', namespace, '-l', `app=${app}`, '-o', `jsonpath={range .items[*]}${status}{end}`);
};

const podOf = (app: string): Promise<string> =>
  output('get', 'pods', '-n', namespace, '-l', `app=${app}`, '-o', 'jsonpath={.items[0].metadata.name}');

const deployment = (name: string, container: object): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: podSpec({ restartPolicy: 'Always', container, spec: { terminationGracePeriodSeconds: 1 } }),
    },
  },
});

const healthz = { httpGet: { path: '/healthz', port: 8080 } };
const proxy = {
  name: 'proxy',
  image: 'busybox:1.36',
  restartPolicy: 'Always',
  command: sh('mkdir -p /srv; sleep 2; echo proxied >/srv/index.html; exec httpd -f -p 15001 -h /srv'),
  startupProbe: { httpGet: { path: '/index.html', port: 15001 }, periodSeconds: 1, failureThreshold: 60 },
};

describe.runIf(published !== undefined)('what agents report', () => {
  beforeAll(async () => {
    await createNamespace(namespace);
    await apply(
      deployment('slow', {
        command: sh('mkdir /www; sleep 15; echo ok >/www/healthz; exec httpd -f -p 8080 -h /www'),
        ports: [{ containerPort: 8080 }],
        startupProbe: { ...healthz, periodSeconds: 2, failureThreshold: 30 },
        readinessProbe: { ...healthz, periodSeconds: 3 },
        livenessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 10 },
      }),
      deployment('broken', {
        command: sh('mkdir /www; exec httpd -f -p 8080 -h /www'),
        readinessProbe: { exec: { command: ['cat', '/www/healthz'] }, periodSeconds: 3 },
      }),
      deployment('stuck', {
        command: sh('echo begun $(date +%s); touch /tmp/alive; sleep 10; rm /tmp/alive; sleep 3600'),
        terminationMessagePolicy: 'FallbackToLogsOnError',
        livenessProbe: { exec: { command: ['cat', '/tmp/alive'] }, periodSeconds: 3, failureThreshold: 2 },
        startupProbe: { exec: { command: ['cat', '/tmp/alive'] }, periodSeconds: 1, failureThreshold: 10 },
      }),
      pod('message', { namespace, command: sh('printf result-1 >/dev/termination-log') }),
      pod('own-message', {
        namespace,
        command: sh('mkdir -p /tekton; printf \'[{"key":"digest"}]\' >/tekton/termination; exit 3'),
        container: { terminationMessagePath: '/tekton/termination' },
      }),
      pod('fallback', {
        namespace,
        command: sh('echo disk full; exit 1'),
        container: {
          terminationMessagePolicy: 'FallbackToLogsOnError',
          lifecycle: { postStart: { exec: { command: ['true'] } } },
        },
      }),
      pod('long', {
        namespace,
        command: sh('sleep 80; exit 5'),
        container: { lifecycle: { postStart: { exec: { command: ['true'] } } } },
      }),
      pod('rules', {
        namespace,
        command: sh('echo x >>/state/runs; test $(wc -l </state/runs) -ge 3 || exit 42; exit 0'),
        container: {
          restartPolicy: 'Never',
          restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
          volumeMounts: [{ name: 'state', mountPath: '/state' }],
        },
        spec: { volumes: [{ name: 'state', emptyDir: {} }] },
      }),
      {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name: 'meshed', namespace },
        spec: {
          backoffLimit: 0,
          template: {
            spec: podSpec({
              command: sh('wget -qO- http://127.0.0.1:15001/'),
              spec: {
                initContainers: [
                  proxy,
                  { name: 'migrate', image: 'busybox:1.36', command: sh('wget -qO- http://127.0.0.1:15001/') },
                ],
              },
            }),
          },
        },
      },
    );
  });
  afterAll(() => removeNamespace(namespace));

  it('probes: one is ready when it is up, one never is, one is started again', async () => {
    await until(
      'slow is ready',
      () => shown('slow'),
      (seen) => seen === 'true 0',
      120_000,
    );
    await until(
      'stuck was started again',
      () => shown('stuck'),
      (seen) => /^\S+ [1-9]/.test(seen),
      120_000,
    );
    expect(await shown('broken')).toBe('false 0');
    expect(await shown('slow')).toBe('true 0');
    expect(await eventsOf(await podOf('broken'), namespace)).toContain('Unhealthy: Readiness probe failed: cat: ');
  });

  it('messages: of the file, wherever it is, and of the log', async () => {
    await Promise.all(['own-message', 'fallback', 'message'].map(ended));
    expect(await of('own-message', `${end}.message}`)).toBe('[{"key":"digest"}]');
    expect(await of('own-message', `${end}.exitCode}`)).toBe('3');
    expect(await of('fallback', `${end}.message}`)).toBe('disk full\n');
    expect(await of('message', `${end}.message}`)).toBe('result-1');
  });

  it('an end, a moment after it: nobody polls for it', async () => {
    await ended('long');
    const seenAt = Date.now();
    expect(await of('long', `${end}.exitCode}`)).toBe('5');
    const finishedAt = Date.parse(await of('long', `${end}.finishedAt}`));
    // Polls come some 10, 40, 70 and 145 s after the start.
    expect(seenAt - finishedAt).toBeLessThan(50_000);
  });

  it('restarts by the container’s own rules, in a pod that is never restarted', async () => {
    expect(await ended('rules')).toBe('Succeeded');
    expect(await of('rules', '{.status.containerStatuses[0].restartCount}')).toBe('2');
  });

  it('a Job with a sidecar in it is complete when its program has ended', async () => {
    await until(
      'the Job is complete',
      () => field('job', 'meshed', '{.status.succeeded}{.status.failed}', namespace),
      (seen) => seen !== '',
      180_000,
    );
    expect(await field('job', 'meshed', '{.status.succeeded}', namespace)).toBe('1');
    const [name = ''] = (await output('get', 'pods', '-n', namespace, '-l', 'job-name=meshed', '-o', 'name'))
      .trim()
      .split('\n');
    expect(await output('logs', '-n', namespace, name, '-c', 'migrate')).toBe('proxied\n');
    expect(await output('logs', '-n', namespace, name, '-c', 'main')).toBe('proxied\n');
    expect(
      await output(
        'get',
        '-n',
        namespace,
        name,
        '-o',
        'jsonpath={.status.phase} {.status.initContainerStatuses[*].state.terminated.exitCode}',
      ),
    ).toBe('Succeeded 143 0');
  });

  it('the log of the run before: the agent has kept it where its end was wanted for the message', async () => {
    const logs = async (...args: readonly string[]) =>
      kubectl(['logs', '-n', namespace, await podOf('stuck'), ...args]);
    const begun = async (...args: readonly string[]): Promise<number> =>
      Number(/^begun (\d+)\n$/.exec((await logs(...args)).stdout)?.[1] ?? Number.NaN);
    // While it waits for its restart both are of the run that has ended, as a kubelet has it.
    await until(
      'an earlier run, while the next one runs',
      async () => (await begun()) - (await begun('-p')),
      (seconds) => seconds > 0,
      120_000,
    );
    expect((await logs('-p', '--timestamps')).stdout).toMatch(/^\d{4}-\S+Z begun /);
  });
});
