/** Manifests of what people run on a cluster, in the shapes that their tools give it. */
import { pod, podSpec } from './cloud.ts';

export const namespace = 'n-workloads';
/** It has curl and a resolver, too. */
const nginx = 'nginx:latest';
export const sh = (script: string): readonly string[] => ['sh', '-c', script];

export const service = (name: string, port: number, more: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace },
  spec: { selector: { app: name }, ports: [{ port }], ...more },
});

const workload = (kind: string, name: string, template: Parameters<typeof podSpec>[0], more: object): object => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name, namespace },
  spec: {
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: podSpec({ restartPolicy: 'Always', ...template }) },
    ...more,
  },
});

const root = { path: '/', port: 'http' };
export const web = workload(
  'Deployment',
  'web',
  {
    image: nginx,
    command: ['nginx', '-g', 'daemon off;'],
    container: {
      ports: [{ name: 'http', containerPort: 80 }],
      startupProbe: { httpGet: root, periodSeconds: 1, failureThreshold: 60 },
      readinessProbe: { httpGet: { ...root, httpHeaders: [{ name: 'x-probe', value: 'ready' }] }, periodSeconds: 1 },
      livenessProbe: { tcpSocket: { port: 'http' }, periodSeconds: 5 },
      lifecycle: { preStop: { sleep: { seconds: 5 } } },
    },
    spec: { terminationGracePeriodSeconds: 20 },
  },
  { replicas: 2, strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } },
);

/** Asks for the Service's address, again and again, until it is told to stop. */
export const load = pod('load', {
  namespace,
  image: nginx,
  command: sh(
    'ok=0; bad=0; until curl -sfo /dev/null -m 2 http://$WEB_SERVICE_HOST/; do sleep 1; done; while [ ! -e /tmp/stop ]; do if curl -sSfo /dev/null -m 10 http://$WEB_SERVICE_HOST/; then ok=$((ok+1)); else bad=$((bad+1)); fi; echo $ok $bad >/tmp/count; sleep 0.05; done',
  ),
});

export const peers = workload(
  'StatefulSet',
  'peer',
  {
    image: nginx,
    command: sh(
      'mkdir -p /tmp/www; echo $HOSTNAME >/tmp/www/name; echo "server { listen 8080; root /tmp/www; }" >/tmp/own.conf; echo "events {} http { include /tmp/own.conf; }" >/tmp/nginx.conf; exec nginx -c /tmp/nginx.conf -g "daemon off;"',
    ),
    container: {
      ports: [{ containerPort: 8080 }],
      readinessProbe: { httpGet: { path: '/name', port: 8080 }, periodSeconds: 1 },
    },
  },
  { replicas: 3, serviceName: 'peer' },
);

export const folder = (name: string, mountPath: string, readOnly = false): object => ({ name, mountPath, readOnly });
const step = (name: string, wait: string, post: string, script: string): object => ({
  name,
  image: 'busybox:1.36',
  command: ['/tekton/bin/entrypoint'],
  args: [wait, post, ...sh(script)],
  terminationMessagePath: '/tekton/termination',
  volumeMounts: [
    folder('bin', '/tekton/bin', true),
    folder('run', '/tekton/run'),
    folder('ready', '/tekton/downward', true),
  ],
});

/** Waits until the first file is there and not empty, runs the rest, and makes the second: as an entrypoint of a pipeline's step does. */
const entrypoint = String.raw`#!/bin/sh
wait=$1; post=$2; shift 2
until [ -s "$wait" ]; do sleep 1; done
"$@"; code=$?
echo $code >"$post"
printf '[{"key":"%s","value":"%s"}]' "$post" "$code" >/tekton/termination
exit $code
`;

export const steps = pod('steps', {
  namespace,
  spec: {
    volumes: [
      { name: 'bin', emptyDir: {} },
      { name: 'run', emptyDir: {} },
      {
        name: 'ready',
        downwardAPI: { items: [{ path: 'ready', fieldRef: { fieldPath: "metadata.annotations['steps/ready']" } }] },
      },
    ],
    initContainers: [
      {
        name: 'prepare',
        image: 'busybox:1.36',
        env: [{ name: 'ENTRYPOINT', value: entrypoint }],
        command: sh('printf %s "$ENTRYPOINT" >/tekton/bin/entrypoint; chmod 755 /tekton/bin/entrypoint'),
        volumeMounts: [folder('bin', '/tekton/bin')],
      },
    ],
    containers: [
      step('step-one', '/tekton/downward/ready', '/tekton/run/0', 'echo one'),
      step('step-two', '/tekton/run/0', '/tekton/run/1', 'echo two'),
    ],
  },
});

const shell = 'if [ -x /bin/bash ]; then exec /bin/bash; elif [ -x /bin/sh ]; then exec /bin/sh; else exit 1; fi';
export const runner = (name: string): object => ({
  name,
  image: 'busybox:1.36',
  stdin: true,
  command: sh(shell),
  volumeMounts: [folder('builds', '/builds')],
});

/** What a program finds as the name of its pod. */
export const named = sh('cat /etc/hostname; echo $HOSTNAME; grep "$HOSTNAME" /etc/hosts | tail -n 1 | cut -f 2-');

export const policy = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'policy', namespace },
  spec: {
    backoffLimit: 6,
    parallelism: 3,
    completions: 3,
    podFailurePolicy: {
      rules: [{ action: 'FailJob', onExitCodes: { containerName: 'main', operator: 'In', values: [42] } }],
    },
    template: { spec: podSpec({ command: sh('sleep 3; exit 42') }) },
  },
};
