/** Pods that need the agent, from kubectl to their end: the app makes their groups, with the agent that was packaged. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { localRegistry } from '../../../infra/local/registry/catalog.ts';
import { repository } from '../../../infra/local/up/host.ts';
import { readAgentTags } from '../../../shared/core/agent/agent-tags.ts';
import { createImageRegistry } from '../../../shared/adapters/registry/image-registry.ts';
import { imageSource } from '../../../shared/core/image/image-source.ts';
import { parseAgentPackage } from '../../../shared/wire/agent-package.ts';
import { registryEndpoints } from '../../../shared/wire/registry-settings.ts';
import { changeSettings, settings } from './app-settings.ts';
import {
  apply,
  createNamespace,
  field,
  groupOf,
  isOver,
  kubectl,
  output,
  phase,
  pod,
  podNames,
  podSpec,
  removeNamespace,
  runs,
  until,
} from './cloud.ts';

const namespace = 'l-agent';
const before = settings();
const published = before['AGENT_IMAGE'];
const hostAliases = [{ ip: '10.1.2.3', hostnames: ['db.example'] }];
const sh = (script: string): readonly string[] => ['sh', '-c', script];

/** The log of a pod that has ended. */
async function ended(name: string): Promise<{ readonly phase: string; readonly log: string }> {
  const seen = await until(`${name} ends`, () => phase(name, namespace), isOver, 180_000);
  return { phase: seen, log: await output('logs', '-n', namespace, name) };
}

const tagsOf = async (name: string) => {
  const tags = (await groupOf(name, namespace))?.tags ?? {};
  return { agent: readAgentTags(tags), tier: tags['serverless-kubelet-tier'] };
};
const annotation = (name: string, key: string): Promise<string> =>
  field('pod', name, `{.metadata.annotations.serverless-kubelet\\.io/${key}}`, namespace);
const exitCode = '{.status.containerStatuses[0].state.terminated.exitCode}';
/** Names of containers that ran for a pod. */
const ranFor = async (name: string): Promise<readonly string[]> => {
  const uid = await field('pod', name, '{.metadata.uid}', namespace);
  return (await runs()).filter((one) => one.uid === uid).map(({ container }) => container);
};

describe('the agent of the laptop cloud', () => {
  it('is there where the gate runs', () => {
    expect(published !== undefined || process.env['CI'] !== 'true').toBe(true);
  });
});

describe.runIf(published !== undefined)('pods that ask for what only the agent gives', () => {
  beforeAll(async () => {
    await createNamespace(namespace);
    const conf = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'conf', namespace },
      data: { 'app.conf': 'x=1' },
    };
    const volumes = [
      { name: 'conf', configMap: { name: 'conf' } },
      { name: 'data', emptyDir: {} },
    ];
    const volumeMounts = [
      { name: 'conf', mountPath: '/etc/app.conf', subPath: 'app.conf', readOnly: true },
      { name: 'data', mountPath: '/data' },
      { name: 'data', mountPath: '/part', subPath: 'new/part' },
    ];
    await apply(
      conf,
      pod('sub-path', {
        namespace,
        command: sh('cat /etc/app.conf; echo; touch /part/here; ls /data/new/part; ls /etc/hosts'),
        container: { volumeMounts },
        spec: { volumes },
      }),
      pod('user', {
        namespace,
        command: sh('id -u; id -g; grep -w db.example /etc/hosts; tr "\\0" "\\n" </proc/$$$$/environ | grep my.name'),
        container: {
          securityContext: { runAsUser: 1234, runAsGroup: 99 },
          env: [{ name: 'my.name', value: 'dotted' }],
        },
        spec: { hostAliases },
      }),
      pod('web', {
        namespace,
        restartPolicy: 'Always',
        command: sh('mkdir -p /srv && echo welcome >/srv/index.html; exec httpd -f -p 8080 -h /srv'),
        container: {
          ports: [{ containerPort: 8080 }],
          readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
          livenessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
          lifecycle: {
            postStart: { exec: { command: sh('echo hooked >/srv/hooked') } },
            preStop: { exec: { command: ['true'] } },
          },
        },
      }),
      pod('plain', { namespace, command: sh('cat /proc/1/comm; ls -d /.sk') }),
      {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name: 'seven', namespace },
        spec: { backoffLimit: 0, template: { spec: podSpec({ command: sh('exit 7'), spec: { hostAliases } }) } },
      },
    );
  });
  afterAll(async () => {
    // What was not set before is not set after.
    await changeSettings({ AGENT: undefined, AGENT_DOWNLOAD: undefined, AGENT_DOWNLOAD_IMAGE: undefined, ...before });
    await removeNamespace(namespace);
  });

  it('have parts of volumes where they ask for them', async () => {
    expect(await ended('sub-path')).toEqual({ phase: 'Succeeded', log: 'x=1\nhere\n/etc/hosts\n' });
    expect(await tagsOf('sub-path')).toMatchObject({
      tier: 'T1',
      agent: { digest: published?.split('@')[1], kid: JSON.parse(before['AGENT_ROOT_KEYS'] ?? '{}').current },
    });
    expect([await annotation('sub-path', 'tier'), await annotation('sub-path', 'tier-reason')]).toEqual([
      'T1',
      'spec.containers[0].volumeMounts[0].subPath and 1 more',
    ]);
  });

  it('run as who they want to be, with their aliases and variables', async () => {
    const { log } = await ended('user');
    expect(log.trim().split(/\n/)).toEqual([
      '1234',
      '99',
      expect.stringMatching(/^10\.1\.2\.3\s+db\.example$/),
      'my.name=dotted',
    ]);
  });

  it('show nothing of the agent in their status, where it has prepared them', async () => {
    await ended('user');
    expect(await field('pod', 'user', '{.status.initContainerStatuses}', namespace)).toBe('');
    expect(await field('pod', 'user', '{.status.containerStatuses[*].name}', namespace)).toBe('main');
    expect(await ranFor('user')).toEqual(['sk-install', 'main']);
  });

  it('end with the code of the program: a Job that fails with 7', async () => {
    const name = await until(
      'the pod of the Job',
      async () => (await podNames('job-name=seven', namespace))[0] ?? '',
      (seen) => seen !== '',
    );
    expect((await ended(name)).phase).toBe('Failed');
    expect(await field('pod', name, exitCode, namespace)).toBe('7');
    await until(
      'the Job fails',
      () => field('job', 'seven', '{.status.failed}', namespace),
      (failed) => failed === '1',
    );
  });

  it('are served, probed and hooked by it while they run', async () => {
    await until(
      'web is ready',
      () => field('pod', 'web', '{.status.containerStatuses[0].ready}', namespace),
      (ready) => ready === 'true',
      120_000,
    );
    expect(await tagsOf('web')).toMatchObject({ tier: 'T2' });
    const answer = await kubectl([
      'exec',
      '-n',
      namespace,
      'web',
      '--',
      'wget',
      '-qO-',
      'http://127.0.0.1:8080/hooked',
    ]);
    expect(answer.stdout).toBe('hooked\n');
    const events = await output(
      'get',
      'events',
      '-n',
      namespace,
      '--field-selector',
      'involvedObject.name=web',
      '-o',
      'jsonpath={.items[*].message}',
    );
    expect(events).not.toContain('lifecycle.preStop');
  });

  it('leave others as they are', async () => {
    const { log } = await ended('plain');
    expect(log).toContain('No such file or directory');
    expect(await tagsOf('plain')).toEqual({ agent: undefined, tier: undefined });
    expect(await ranFor('plain')).toEqual(['main']);
  });

  it('are deleted within their grace, and nothing is left of them', async () => {
    const startedMs = Date.now();
    await output('delete', 'pod', '-n', namespace, 'web', '--wait=true', '--timeout=60s');
    expect(Date.now() - startedMs).toBeLessThan(60_000);
    expect(await groupOf('web', namespace)).toBeUndefined();
  });

  it('fetch it from the app where there is no image of it', async () => {
    const image = `${localRegistry}/busybox`;
    const source = imageSource(`${image}:1`);
    if (!source.ok) throw new Error(source.message);
    const endpoints = registryEndpoints.parse(before['REGISTRY_ENDPOINTS']);
    const registry = createImageRegistry({ endpoints, userAgent: 'test/1' });
    const digest = await registry.getDigest({ source: source.source, logins: [] }, AbortSignal.timeout(10_000));
    if (!digest.ok) throw new Error('no busybox in the registry');
    await changeSettings({
      AGENT_IMAGE: undefined,
      AGENT_DOWNLOAD: 'always',
      AGENT_DOWNLOAD_IMAGE: `${image}@${digest.value}`,
    });
    await apply(
      pod('fetches', { namespace, command: sh('grep -w db.example /etc/hosts; exit 3'), spec: { hostAliases } }),
    );
    const { phase: seen, log } = await ended('fetches');
    expect([seen, log.trim().split(/\s+/)]).toEqual(['Failed', ['10.1.2.3', 'db.example']]);
    expect(await field('pod', 'fetches', exitCode, namespace)).toBe('3');
    const packaged = parseAgentPackage(readFileSync(join(repository, 'dist', 'agent', 'agent.json'), 'utf8'));
    expect((await tagsOf('fetches')).agent?.digest).toBe(`sha256:${packaged?.sha256}`);
  });

  it('are refused, with the field, where AGENT is never', async () => {
    await changeSettings({ AGENT: 'never' });
    await apply(pod('refused', { namespace, spec: { hostAliases } }));
    await until('refused fails', () => phase('refused', namespace), isOver, 60_000);
    expect(await field('pod', 'refused', '{.status.message}', namespace)).toBe(
      "Pod was rejected: spec.hostAliases: ACI can't add lines to /etc/hosts; the agent would give it, and the setting AGENT is never",
    );
    expect(await groupOf('refused', namespace)).toBeUndefined();
  });
});
