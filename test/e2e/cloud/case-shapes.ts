/** Pods of kinds that are easily got wrong, each as small as shows it. */
import { pod, podSpec } from './cloud.ts';
import { service, sh } from './workload.ts';

const always = 'Always';
const emptyDir = (name: string): object => ({ name, emptyDir: {} });
const exec = (...command: readonly string[]): object => ({ exec: { command } });
const fromField = (name: string, fieldPath: string): object => ({ name, valueFrom: { fieldRef: { fieldPath } } });
const fromResource = (name: string, resource: string, divisor: string): object => ({
  name,
  valueFrom: { resourceFieldRef: { resource, divisor } },
});

/** Pod, reason, and what the message has. */
export const neverPulled: readonly [string, string, string][] = [
  ['image-name', 'InvalidImageName', 'couldn\'t parse image name "BusyBox_UPPER:1.36": invalid reference format'],
  ['image-digest', 'InvalidImageName', 'couldn\'t parse image name "busybox@sha256:1234"'],
  ['image-never', 'ErrImageNeverPull', 'Container image "busybox:1.36" is not present with pull policy of Never'],
];

const images = (namespace: string): readonly object[] => [
  pod('image-tag', { namespace, image: 'registry.local/busybox:none' }),
  pod('image-host', { namespace, image: 'no-such-registry.invalid/x:1' }),
  pod('image-fixed', { namespace, image: 'registry.local/busybox:none', command: ['echo', 'pulled at last'] }),
  pod('image-name', { namespace, image: 'BusyBox_UPPER:1.36' }),
  pod('image-digest', { namespace, image: 'busybox@sha256:1234' }),
  pod('image-never', { namespace, container: { imagePullPolicy: 'Never' } }),
];

const messages = (namespace: string): readonly object[] => {
  const fallback = { terminationMessagePolicy: 'FallbackToLogsOnError' };
  const many = (what: string, to: string): string => `for i in $(seq 1000); do echo ${what} >>${to}; done`;
  return [
    pod('message-file', {
      namespace,
      command: sh('echo of the log; printf "of the file" >/dev/termination-log; exit 2'),
      container: fallback,
    }),
    pod('message-none', { namespace, command: sh('echo of the log'), container: fallback }),
    pod('message-log', {
      namespace,
      command: sh('for i in $(seq 200); do echo line $i; done; exit 1'),
      container: fallback,
    }),
    pod('message-folder', {
      namespace,
      command: sh('echo in a folder >/out/a/message; exit 4'),
      container: { terminationMessagePath: '/out/a/message' },
    }),
    pod('message-user', {
      namespace,
      command: sh('echo by another user >/dev/termination-log'),
      container: { securityContext: { runAsUser: 1000 } },
    }),
    pod('message-long', { namespace, command: sh(many('0123456789', '/dev/termination-log')) }),
  ];
};

const parts = (namespace: string): readonly object[] => [
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'part', namespace },
    stringData: { 'tls.key': 'planted-part\n' },
  },
  pod('part-by-name', {
    namespace,
    command: sh('touch /log/here; ls /all /all/part-by-name | grep -v : | grep .'),
    container: {
      env: [fromField('POD', 'metadata.name')],
      volumeMounts: [
        { name: 'data', mountPath: '/log', subPathExpr: '$(POD)' },
        { name: 'data', mountPath: '/all' },
      ],
    },
    spec: { volumes: [emptyDir('data')] },
  }),
  pod('part-of-secret', {
    namespace,
    command: sh('cat /etc/key; ls /etc | grep -E "^(key|passwd)$" | sort -r'),
    container: { volumeMounts: [{ name: 'key', mountPath: '/etc/key', subPath: 'tls.key', readOnly: true }] },
    spec: { volumes: [{ name: 'key', secret: { secretName: 'part' } }] },
  }),
  pod('part-of-user', {
    namespace,
    command: sh('id; touch /work/file; stat -c "%u %g" /work/file'),
    container: {
      securityContext: { runAsUser: 1000, runAsGroup: 3000 },
      volumeMounts: [{ name: 'data', mountPath: '/work', subPath: 'in/here' }],
    },
    spec: { volumes: [emptyDir('data')], securityContext: { fsGroup: 2000, supplementalGroups: [4000] } },
  }),
  pod('aliases', {
    namespace,
    command: sh('grep -E "many$" /etc/hosts'),
    spec: {
      hostAliases: [
        { ip: '10.9.8.7', hostnames: ['one.many', 'two.many', 'three.many'] },
        { ip: 'fd00::1', hostnames: ['six.many'] },
        { ip: '10.9.8.6', hostnames: ['again.many'] },
      ],
    },
  }),
];

const probes = (namespace: string): readonly object[] => [
  service(namespace, 'ready-ends', 8080),
  pod('start-slow', {
    namespace,
    restartPolicy: always,
    command: sh('sleep 15; touch /tmp/up; sleep 3600'),
    container: {
      startupProbe: { ...exec('cat', '/tmp/up'), periodSeconds: 1, failureThreshold: 120 },
      livenessProbe: { ...exec('cat', '/tmp/up'), periodSeconds: 1, failureThreshold: 1 },
      readinessProbe: { ...exec('cat', '/tmp/up'), periodSeconds: 1 },
    },
  }),
  pod('start-never', {
    namespace,
    restartPolicy: always,
    container: { startupProbe: { ...exec('false'), periodSeconds: 1, failureThreshold: 3 } },
  }),
  pod('ready-ends', {
    namespace,
    restartPolicy: always,
    labels: { app: 'ready-ends' },
    command: sh('touch /tmp/ready; sleep 3600'),
    container: { readinessProbe: { ...exec('cat', '/tmp/ready'), periodSeconds: 1, failureThreshold: 2 } },
  }),
  pod('live-hangs', {
    namespace,
    restartPolicy: always,
    container: {
      readinessProbe: exec('true'),
      livenessProbe: { ...exec('sleep', '600'), periodSeconds: 2, timeoutSeconds: 1, failureThreshold: 2 },
    },
  }),
];

const downward = (namespace: string): object =>
  pod('downward', {
    namespace,
    annotations: { 'case/note': 'before' },
    command: sh('echo $CPU $MEMORY $IP; sleep 3600'),
    container: {
      resources: { requests: { cpu: '250m', memory: '64Mi' }, limits: { cpu: '1', memory: '128Mi' } },
      env: [
        fromResource('CPU', 'limits.cpu', '1'),
        fromResource('MEMORY', 'requests.memory', '1Mi'),
        fromField('IP', 'status.podIP'),
      ],
      volumeMounts: [{ name: 'pod', mountPath: '/pod' }],
    },
    spec: {
      volumes: [
        {
          name: 'pod',
          downwardAPI: {
            items: [
              { path: 'note', fieldRef: { fieldPath: "metadata.annotations['case/note']" } },
              { path: 'cpu', resourceFieldRef: { containerName: 'main', resource: 'requests.cpu', divisor: '1m' } },
              { path: 'memory', resourceFieldRef: { containerName: 'main', resource: 'limits.memory' } },
            ],
          },
        },
      ],
    },
  });

const tries = (namespace: string): object => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'tries', namespace },
  spec: {
    activeDeadlineSeconds: 60,
    backoffLimit: 100,
    template: { spec: podSpec({ command: sh('echo a try; exit 3') }) },
  },
});

/** All of them: they are applied at once. */
export const caseObjects = (namespace: string): readonly object[] => [
  ...images(namespace),
  ...messages(namespace),
  ...parts(namespace),
  ...probes(namespace),
  downward(namespace),
  tries(namespace),
];
