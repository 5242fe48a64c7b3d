import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  apply,
  createNamespace,
  field,
  groups,
  output,
  phase,
  pod,
  podNames,
  podSpec,
  removeNamespace,
  runs,
  until,
} from './cloud.ts';

const namespace = 'c-refused';

const exporter = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'node-exporter', namespace },
  spec: {
    selector: { matchLabels: { app: 'node-exporter' } },
    template: {
      metadata: { labels: { app: 'node-exporter' } },
      spec: {
        ...podSpec({
          restartPolicy: 'Always',
          container: { volumeMounts: [{ name: 'root', mountPath: '/host', readOnly: true }] },
        }),
        hostNetwork: true,
        hostPID: true,
        tolerations: [{ operator: 'Exists' }],
        volumes: [{ name: 'root', hostPath: { path: '/' } }],
      },
    },
  },
};

const warnings = (name: string): Promise<string> =>
  output(
    'get',
    'events',
    '-n',
    namespace,
    '--field-selector',
    `involvedObject.name=${name},type=Warning`,
    '-o',
    'jsonpath={range .items[*]}{.reason}: {.message} ({.count}{.series.count}){"\\n"}{end}',
  );

const ownGroups = async (): Promise<number> =>
  (await groups()).filter((group) => group.tags['kubernetes-namespace'] === namespace).length;

describe('pods that ACI can never run', () => {
  beforeAll(async () => {
    await createNamespace(namespace);
    await apply(
      exporter,
      pod('host-path', {
        namespace,
        spec: { volumes: [{ name: 'host', hostPath: { path: '/var/log' } }] },
        container: { volumeMounts: [{ name: 'host', mountPath: '/logs' }] },
      }),
      pod('typo', { namespace, annotations: { 'serverless-kubelet.io/typo': 'x' } }),
      pod('too-large', { namespace, container: { resources: { requests: { cpu: '32', memory: '64Gi' } } } }),
    );
  });

  afterAll(() => removeNamespace(namespace));

  it.each([
    ['host-path', 'spec.volumes[0].hostPath'],
    ['typo', 'metadata.annotations[serverless-kubelet.io/typo]'],
    ['too-large', 'spec.containers[*].resources.requests.cpu'],
  ])('%s is Failed with a reason, and describe names %s in one sentence', async (name, path) => {
    await until(
      `${name} is refused`,
      () => phase(name, namespace),
      (seen) => seen === 'Failed',
    );
    expect(await field('pod', name, '{.status.reason}', namespace)).toMatch(/^[A-Z][A-Za-z-]+$/);
    const message = await field('pod', name, '{.status.message}', namespace);
    expect(message).toContain(path);
    expect(message.split('\n')).toHaveLength(1);
    const described = await output('describe', 'pod', name, '-n', namespace);
    const sentence = described.split('\n').filter((line) => /^\s+Warning\s/.test(line));
    expect(sentence).toHaveLength(1);
    expect(sentence[0]).toContain(path);
    expect(await field('pod', name, '{.status.containerStatuses[*].state.running}', namespace)).toBe('');
  });

  it("a DaemonSet's pod stays Pending with one warning, costs nothing and is not made again and again", async () => {
    const [name = ''] = await until(
      "the DaemonSet's pod",
      () => podNames('app=node-exporter', namespace),
      (names) => names.length === 1,
    );
    const uid = await field('pod', name, '{.metadata.uid}', namespace);
    const reported = await until(
      'one warning',
      () => warnings(name),
      (text) => text !== '',
    );
    expect(reported).toContain('hostPath');
    await sleep(60_000);
    expect(await podNames('app=node-exporter', namespace)).toEqual([name]);
    expect(await field('pod', name, '{.metadata.uid}', namespace)).toBe(uid);
    expect(await phase(name, namespace)).toBe('Pending');
    expect(await warnings(name)).toBe(reported);
    expect(reported.trim().split('\n')).toHaveLength(1);
    expect(await output('describe', 'pod', name, '-n', namespace)).toMatch(/Warning.*spec\./);
  });

  it('none of them ever had a container group', async () => {
    expect(await ownGroups()).toBe(0);
    expect((await runs()).filter((run) => run.group.startsWith(namespace))).toEqual([]);
  });
});
