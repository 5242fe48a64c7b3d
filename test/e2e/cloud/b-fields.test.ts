import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settings } from './app-settings.ts';
import { apply, createNamespace, field, output, pod, podSpec, removeNamespace, until } from './cloud.ts';

const namespace = 'b-fields';
const shell = (script: string): string[] => ['sh', '-c', script];

const web = (name: string, script: string, container: object, spec: object = {}) =>
  pod(name, { namespace, restartPolicy: 'Always', command: shell(script), container, spec });
const served = 'mkdir -p /www; echo ok > /www/index.html; httpd -p 8080 -h /www;';

const set = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'store', namespace },
  spec: {
    replicas: 1,
    serviceName: 'store',
    selector: { matchLabels: { app: 'store' } },
    template: {
      metadata: { labels: { app: 'store' } },
      spec: podSpec({
        restartPolicy: 'Always',
        command: shell(`${served} sleep 3600`),
        container: {
          ports: [1, 2, 3, 4, 5, 6].map((port) => ({ containerPort: 8080 + port - 1, name: `p${port}` })),
          readinessProbe: { httpGet: { port: 'p1' }, periodSeconds: 1 },
        },
      }),
    },
  },
};

/** A share as the driver makes one for a claim; without a class nobody but us binds it. */
const storage = [
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'account', namespace },
    stringData: { azurestorageaccountname: 'acc', azurestorageaccountkey: Buffer.from('k').toString('base64') },
  },
  {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `${namespace}-share` },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteMany'],
      claimRef: { namespace, name: 'share' },
      csi: {
        driver: 'file.csi.azure.com',
        volumeHandle: 'rg#acc#share-1###',
        nodeStageSecretRef: { name: 'account', namespace },
      },
    },
  },
];
const claim = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'share', namespace },
  spec: {
    accessModes: ['ReadWriteMany'],
    storageClassName: '',
    volumeName: `${namespace}-share`,
    resources: { requests: { storage: '1Gi' } },
  },
};
const onShare = (name: string, script: string) =>
  pod(name, {
    namespace,
    command: shell(script),
    container: { volumeMounts: [{ name: 'data', mountPath: '/data' }] },
    spec: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'share' } }] },
  });

describe('what needs nothing inside the container', () => {
  beforeAll(async () => {
    await createNamespace(namespace);
    await apply(
      set,
      web('late', `sleep 15; ${served} sleep 25; rm /www/index.html; sleep 3600`, {
        readinessProbe: { httpGet: { port: 8080, path: '/index.html' }, periodSeconds: 1, failureThreshold: 2 },
      }),
      web('port', `sleep 5; ${served} sleep 3600`, {
        readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
      }),
      web('sick', 'touch /tmp/ok; sleep 5; rm /tmp/ok; sleep 3600', {
        livenessProbe: { exec: { command: ['cat', '/tmp/ok'] }, periodSeconds: 2, failureThreshold: 2 },
      }),
      web(
        'slow',
        'sleep 3600',
        { lifecycle: { preStop: { sleep: { seconds: 8 } } } },
        { terminationGracePeriodSeconds: 30 },
      ),
    );
  });

  afterAll(async () => {
    await removeNamespace(namespace);
    await output('delete', 'pv', `${namespace}-share`, '--ignore-not-found', '--wait=false');
  });

  const get = (name: string, path: string): Promise<string> => field('pod', name, path, namespace);
  const ready = (name: string): Promise<string> => get(name, '{.status.conditions[?(@.type=="Ready")].status}');
  const ends = (name: string) =>
    until(
      `${name} ends`,
      () => get(name, '{.status.phase}'),
      (seen) => seen === 'Succeeded',
      120_000,
    );
  const nodeName = (): Promise<string> => get('store-0', '{.spec.nodeName}');
  const becomes = (name: string, wanted: string) =>
    until(
      `${name} is Ready ${wanted}`,
      () => ready(name),
      (seen) => seen === wanted,
      120_000,
    );
  const events = (name: string, reason: string): Promise<string> =>
    output(
      'get',
      'events',
      '-n',
      namespace,
      '--field-selector',
      `involvedObject.name=${name},reason=${reason}`,
      '-o',
      'jsonpath={range .items[*]}{.message}{"\\n"}{end}',
    );

  it('a StatefulSet with six ports is Ready by its probe, and answers on the first', async () => {
    await becomes('store-0', 'True');
    const ip = await get('store-0', '{.status.podIP}');
    expect(await (await fetch(`http://${ip}:8080/`)).text()).toBe('ok\n');
    expect(await events('store-0', 'PortsNotDeclared')).toContain('spec.containers[0].ports[5]');
    // With the agent the files of the host have its name, and one call has not.
    const unmet = settings()['AGENT_IMAGE'] === undefined ? 'spec.hostname: ACI names the host' : 'gethostname()';
    expect(await events('store-0', 'FieldWithoutEffect')).toContain(unmet);
  });

  it('readiness by httpGet: not before it answers, and no longer when it stops', async () => {
    await until(
      'late runs',
      () => get('late', '{.status.containerStatuses[0].started}'),
      (seen) => seen === 'true',
      120_000,
    );
    expect(await ready('late')).toBe('False');
    await becomes('late', 'True');
    await becomes('late', 'False');
    expect(await events('late', 'Unhealthy')).toContain(
      'Readiness probe failed: HTTP probe failed with statuscode: 404',
    );
    expect(await get('late', '{.status.containerStatuses[0].restartCount}')).toBe('0');
  });

  it('readiness by tcpSocket', async () => {
    await becomes('port', 'True');
    expect(await get('port', '{.status.containerStatuses[0].ready}')).toBe('true');
  });

  it('a liveness probe by exec that fails: ACI runs the container again, and the events say so', async () => {
    await until(
      'sick was restarted',
      () => get('sick', '{.status.containerStatuses[0].restartCount}'),
      (seen) => Number(seen) > 0,
      120_000,
    );
    expect(await events('sick', 'Unhealthy')).toContain('Liveness probe failed');
    expect(await events('sick', 'Killing')).toContain('Container main failed liveness probe, will be restarted');
  });

  it('preStop.sleep holds the stop back', async () => {
    await becomes('slow', 'True');
    const began = Date.now();
    await output('-n', namespace, 'delete', 'pod', 'slow', '--grace-period=30', '--wait=true');
    expect(Date.now() - began).toBeGreaterThan(8_000);
    expect(Date.now() - began).toBeLessThan(30_000);
  });

  it('a share outlives its pods, and a pod waits for the claim as with a kubelet', async () => {
    await apply(...storage, {
      ...claim,
      metadata: { ...claim.metadata, name: 'other' },
      spec: { ...claim.spec, volumeName: 'none' },
    });
    const waiting = { name: 'data', persistentVolumeClaim: { claimName: 'other' } };
    await apply(
      claim,
      onShare('writes', 'echo kept > /data/file'),
      pod('waits', {
        namespace,
        container: { volumeMounts: [{ name: 'data', mountPath: '/data' }] },
        // The scheduler would not let it come so far.
        spec: { volumes: [waiting], nodeName: await nodeName() },
      }),
    );
    await ends('writes');
    await apply(onShare('reads', 'cat /data/file'));
    await ends('reads');
    expect(await output('-n', namespace, 'logs', 'reads')).toBe('kept\n');
    const reported = await until(
      'waits is reported',
      () => events('waits', 'FailedMount'),
      (seen) => seen !== '',
    );
    expect(reported).toContain(`error processing PVC ${namespace}/other: PVC is not bound`);
  });

  it('arguments alone run behind the entrypoint of the image', async () => {
    await apply(
      pod('only', {
        namespace,
        spec: { containers: [{ name: 'main', image: 'busybox:1.36', args: ['echo', 'args only'] }] },
      }),
    );
    await ends('only');
    expect(await output('-n', namespace, 'logs', 'only')).toBe('args only\n');
  });

  it('runAsNonRoot over an image of root waits, as with a kubelet', async () => {
    await apply(pod('rooted', { namespace, spec: { securityContext: { runAsNonRoot: true } } }));
    const waiting = await until(
      'rooted waits',
      () => get('rooted', '{.status.containerStatuses[0].state.waiting.message}'),
      (seen) => seen.includes('runAsNonRoot'),
    );
    expect(waiting).toContain('container has runAsNonRoot and image will run as root');
    expect(await get('rooted', '{.status.containerStatuses[0].state.waiting.reason}')).toBe(
      'CreateContainerConfigError',
    );
  });
});
