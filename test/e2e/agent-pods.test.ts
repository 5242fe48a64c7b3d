/** Pods that ask for the agent, translated, and run in real containers by the agent that was built for it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureImages } from '../../infra/local/aci/images.ts';
import { createEngineRuntime } from '../../infra/local/aci/runtime/engine.ts';
import type { EngineRuntime } from '../../infra/local/aci/runtime/engine.ts';
import { buildAgent } from '../../infra/package/agent.ts';
import type { Pod } from '../../shared/core/kubernetes/pod.ts';
import { grouped, node, references } from '../core/agent/fixtures.ts';
import { podOf, rawContainer, withContainer } from '../core/pod/fixtures.ts';
import type { Raw } from '../core/pod/fixtures.ts';
import { repository, whyNoGo } from '../fixtures/agent-go.ts';
import { startAppForAgents, startGroup } from './agent-rig.ts';
import type { AppForAgents, HeardReport } from './agent-rig.ts';
import { until } from './until.ts';

const reason = await whyNoGo();
const folder = mkdtempSync(join(tmpdir(), 'agent-pods-'));
let runtime: EngineRuntime | undefined;
let app: AppForAgents | undefined;

interface Ended {
  readonly exitCode: number;
  readonly lines: readonly string[];
  readonly reports: readonly HeardReport[];
}

const isStarted = (): { readonly runtime: EngineRuntime; readonly app: AppForAgents } => {
  if (runtime === undefined || app === undefined) throw new Error('nothing has been started');
  return { runtime, app };
};

/** How the containers of a pod end, by their names. */
async function run(pod: Pod): Promise<Readonly<Record<string, Ended>>> {
  const started = isStarted();
  const known = references({ entrypoint: [], cmd: ['sh'] }, { agent: started.app.access });
  const { body } = grouped(pod, known, { ...node, agent: started.app.facts });
  const from = started.app.heard.length;
  const containers = await startGroup(started.runtime, body);
  const ends = [...containers].map(async ([name, container]) => {
    const { exitCode } = await container.wait();
    const text = await container.readLogs({ timestamps: false });
    const reports = started.app.heard.slice(from).filter((one) => one.container === name);
    return [name, { exitCode, lines: text.trim().split('\n'), reports }] as const;
  });
  return Object.fromEntries(await Promise.all(ends));
}

const sh = (script: string, more: Raw = {}): Raw => ({ command: ['sh', '-c', script], ...more });
const never = { restartPolicy: 'Never' };

describe.skipIf(reason !== undefined)(
  `pods with the agent${reason === undefined ? '' : ` are not run: ${reason}`}`,
  () => {
    beforeAll(async () => {
      await ensureImages({ log: () => {} });
      const agent = await buildAgent(repository, folder);
      runtime = await createEngineRuntime({ stateDir: join(folder, 'engine'), engine: 'podman', log: () => {} });
      app = await startAppForAgents(agent, runtime.bridge.gateway);
    });
    afterAll(async () => {
      await runtime?.close();
      await app?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    it('have their names, aliases and variables, and secrets in their arguments', async () => {
      const env = [
        { name: 'my.name', value: 'dotted' },
        { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        { name: 'URL', value: 'http://$(IP)/' },
        { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'login', key: 'password' } } },
      ];
      const script = [
        'grep -w db /etc/hosts; echo "$HOSTNAME"',
        'grep -w "^$IP" /etc/hosts | tail -n 1 | sed "s/^$IP//"',
        // A shell hands on no such name.
        'cat /proc/$$$$/environ | tr "\\000" "\\n" | grep my.name',
        'echo "$1"; test "$URL" = "http://$IP/" && pwd',
      ].join('; ');
      const { main } = await run(
        withContainer(sh(script, { env, args: ['sh', '$(PASSWORD)'], workingDir: '/made/here' }), {
          ...never,
          hostname: 'web-0',
          subdomain: 'web',
          hostAliases: [{ ip: '10.1.2.3', hostnames: ['db', 'db.example'] }],
        }),
      );
      expect(main?.lines).toEqual([
        '10.1.2.3\tdb db.example',
        'web-0',
        '\tweb-0.web.shop.svc.cluster.local\tweb-0',
        'my.name=dotted',
        's3cret',
        '/made/here',
      ]);
      expect(main?.exitCode).toBe(0);
    });

    it('have users, groups, owners, modes, and parts of volumes where they ask for them', async () => {
      const volumes = [
        {
          name: 'conf',
          configMap: {
            name: 'settings',
            defaultMode: 0o440,
            items: [
              { key: 'app.conf', path: 'conf.d/app.conf' },
              { key: 'PLAIN', path: 'plain', mode: 0o400 },
            ],
          },
        },
        { name: 'dir', emptyDir: {} },
      ];
      const volumeMounts = [
        { name: 'conf', mountPath: '/etc/app' },
        { name: 'conf', mountPath: '/etc/one.conf', subPath: 'conf.d/app.conf', readOnly: true },
        { name: 'dir', mountPath: '/data' },
        { name: 'dir', mountPath: '/logs', subPath: 'logs' },
      ];
      const script = [
        'id -u; id -g; id -G',
        'stat -L -c "%a %g" /etc/app/conf.d/app.conf /etc/app/plain',
        'cat /etc/app/conf.d/app.conf /etc/app/plain /etc/one.conf; echo',
        'echo line > /data/l; stat -c "%u %g" /data/l; readlink /logs',
        'grep -E "^(NoNewPrivs|CapEff)" /proc/self/status',
      ].join('; ');
      const { main } = await run(
        withContainer(
          sh(script, {
            volumeMounts,
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          }),
          {
            ...never,
            volumes,
            securityContext: { runAsUser: 1000, runAsGroup: 1001, fsGroup: 2000, supplementalGroups: [3000] },
          },
        ),
      );
      expect(main?.lines).toEqual([
        '1000',
        '1001',
        '1001 2000 3000',
        '440 2000',
        '440 2000',
        'x=1px=1',
        '1000 2000',
        '/.sk-v/1/logs',
        'CapEff:\t0000000000000000',
        'NoNewPrivs:\t1',
      ]);
    });

    it('have hooks, and their last words arrive', async () => {
      const { main } = await run(
        withContainer(
          sh('until [ -f /tmp/hooked ]; do sleep 0.1; done; printf result > /dev/termination-log; exit 3', {
            lifecycle: { postStart: { exec: { command: ['touch', '/tmp/hooked'] } } },
          }),
          never,
        ),
      );
      expect(main?.exitCode).toBe(3);
      expect(main?.reports.at(-1)?.state).toMatchObject({
        phase: 'ended',
        ended: { exitCode: 3, reason: 'Error', message: 'result' },
      });
    });

    it('are probed from inside: started, ready, and ended when they are not alive', async () => {
      const probe = (file: string, more: Raw = {}): Raw => ({
        exec: { command: ['test', '-f', file] },
        periodSeconds: 1,
        ...more,
      });
      const { main } = await run(
        withContainer(
          sh('sleep 1; touch /tmp/up /tmp/alive /tmp/ready; sleep 3; rm /tmp/alive; sleep 60', {
            startupProbe: probe('/tmp/up', { failureThreshold: 30 }),
            readinessProbe: probe('/tmp/ready'),
            livenessProbe: probe('/tmp/alive', { failureThreshold: 1 }),
          }),
          { ...never, terminationGracePeriodSeconds: 1 },
        ),
      );
      expect(main?.exitCode).toBe(143);
      expect(main?.reports.some(({ state }) => state.started === true && state.ready === true)).toBe(true);
      const reasons = new Set(main?.reports.flatMap(({ events = [] }) => events.map((event) => event.reason)));
      expect([...reasons].toSorted()).toEqual(['Killing', 'Unhealthy']);
    });

    it('with sidecars have their order, and end when the others have', async () => {
      const volumeMounts = [{ name: 'dir', mountPath: '/d' }];
      const pod = podOf({
        ...never,
        volumes: [{ name: 'dir', emptyDir: {} }],
        initContainers: [
          rawContainer({ name: 'first', volumeMounts, ...sh('echo first >> /d/log') }),
          rawContainer({
            name: 'proxy',
            volumeMounts,
            restartPolicy: 'Always',
            startupProbe: { exec: { command: ['test', '-f', '/d/up'] }, periodSeconds: 1 },
            ...sh(
              'trap "echo ended >> /d/log; cat /d/log; exit 0" TERM; sleep 1; echo proxy >> /d/log; touch /d/up; while :; do sleep 0.1; done',
            ),
          }),
          rawContainer({ name: 'second', volumeMounts, ...sh('echo second >> /d/log') }),
        ],
        containers: [rawContainer({ volumeMounts, ...sh('echo main >> /d/log') })],
      });
      const { proxy, second, main } = await run(pod);
      expect(proxy?.lines).toEqual(['first', 'proxy', 'second', 'main', 'ended']);
      expect([proxy?.exitCode, second?.exitCode, main?.exitCode]).toEqual([0, 0, 0]);
    });

    it('have a file of a ConfigMap inside of a folder of another volume', async () => {
      const volumes = [
        { name: 'data', emptyDir: {} },
        { name: 'conf', configMap: { name: 'settings' } },
      ];
      const volumeMounts = [
        { name: 'conf', mountPath: '/var/db/conf/app.conf', subPath: 'app.conf' },
        { name: 'data', mountPath: '/var/db', subPath: 'db' },
        { name: 'data', mountPath: '/all' },
      ];
      const { main } = await run(
        withContainer(sh('cat /var/db/conf/app.conf; echo; ls /all/db', { volumeMounts }), { ...never, volumes }),
      );
      expect(main?.lines).toEqual(['x=1', 'conf']);
    });

    it('have restart policies of single containers', async () => {
      const rules = [{ action: 'Restart', exitCodes: { operator: 'In', values: [7] } }];
      const pod = withContainer(
        sh('echo run >> /tmp/runs; [ "$(wc -l < /tmp/runs)" -gt 1 ] || exit 7; cat /tmp/runs; exit 4', {
          restartPolicy: 'Never',
          restartPolicyRules: rules,
        }),
        never,
      );
      const { main } = await run(pod);
      expect([main?.exitCode, main?.lines, main?.reports.at(-1)?.state.restarts]).toEqual([4, ['run', 'run'], 1]);
    });

    it('see a volume of labels as a kubelet lays it out', async () => {
      const volumes = [
        { name: 'info', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
      ];
      const pod = withContainer(
        sh('readlink /info/labels; cat /info/labels; echo; trap "exit 5" TERM; while :; do sleep 0.1; done', {
          volumeMounts: [{ name: 'info', mountPath: '/info' }],
        }),
        { ...never, volumes },
      );
      const started = isStarted();
      const known = references({ entrypoint: [], cmd: ['sh'] }, { agent: started.app.access });
      const { body } = grouped(pod, known, { ...node, agent: started.app.facts });
      const containers = await startGroup(started.runtime, body);
      const main = containers.get('main');
      const text = await until(
        'its log',
        async () => (await main?.readLogs({ timestamps: false })) ?? '',
        (log) => log.includes('\n'),
      );
      expect(text.split('\n')[0]).toBe('..data/labels');
      await main?.stop(10);
      expect((await main?.wait())?.exitCode).toBe(5);
    });
  },
);
