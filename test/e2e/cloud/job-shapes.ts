/** Pods and Jobs in the shapes that pipelines, meshes and runners give them. */
import { pod, podSpec } from './cloud.ts';
import { mount, sh } from './workload.ts';

const image = 'busybox:1.36';
const emptyDir = (name: string): object => ({ name, emptyDir: {} });
/** A program on a pod's volume, made by a container of it that runs before the others. */
const copies = (name: string, program: string, path: string, volume: object): object => ({
  name,
  image,
  env: [{ name: 'PROGRAM', value: program }],
  command: sh(`printf %s "$PROGRAM" >${path} && chmod 755 ${path}`),
  volumeMounts: [volume],
});

/** A mesh's: the proxy is a native sidecar with a health port, and main speaks to it. */
export const meshed = (namespace: string, name: string): object => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, namespace },
  spec: {
    backoffLimit: 0,
    template: {
      metadata: { labels: { app: name } },
      spec: podSpec({
        command: sh('wget -qO- http://127.0.0.1:15021/healthz/ready; echo main ends'),
        spec: {
          terminationGracePeriodSeconds: 20,
          initContainers: [
            { name: 'validation', image, command: sh('echo valid') },
            {
              name: 'proxy',
              image,
              restartPolicy: 'Always',
              command: sh(
                'sleep 3; mkdir -p /srv/healthz; echo live >/srv/healthz/ready; httpd -f -p 15021 -h /srv & trap "cat /tmp/drained; exit 6" TERM; while :; do sleep 1; done',
              ),
              startupProbe: {
                httpGet: { path: '/healthz/ready', port: 15_021 },
                periodSeconds: 1,
                failureThreshold: 120,
              },
              lifecycle: { preStop: { exec: { command: sh('echo drained >/tmp/drained') } } },
            },
          ],
        },
      }),
    },
  },
});

/** It takes the flags of a pipeline's entrypoint that a step is started with. */
const entrypoint = String.raw`#!/bin/sh
content=
while [ $# -gt 0 ]; do
  case $1 in
    -wait_file) wait=$2; shift 2 ;;
    -wait_file_content) content=1; shift ;;
    -post_file) post=$2; shift 2 ;;
    -termination_path) termination=$2; shift 2 ;;
    -step_metadata_dir) metadata=$2; shift 2 ;;
    -entrypoint) program=$2; shift 2 ;;
    --) shift; break ;;
    *) echo "unknown flag $1"; exit 2 ;;
  esac
done
ready() { if [ -n "$content" ]; then [ -s "$wait" ]; else [ -e "$wait" ] || [ -e "$wait.err" ]; fi; }
until ready; do sleep 1; done
[ ! -e "$wait.err" ] || exit 1
mkdir -p "$metadata/results"
started=$(date -u +%Y-%m-%dT%H:%M:%SZ)
STEP_RESULTS="$metadata/results" "$program" "$@"; code=$?
printf '[{"key":"said","value":"%s","type":1},{"key":"StartedAt","value":"%s","type":3}]' "$(cat "$metadata/results/said")" "$started" >"$termination"
echo $code >"$metadata/exitCode"
if [ $code = 0 ]; then : >"$post"; else : >"$post.err"; fi
exit $code
`;

const step = (index: number, count: number, waits: readonly string[]): object => ({
  name: `step-${index}`,
  image,
  workingDir: '/workspace',
  command: ['/tekton/bin/entrypoint'],
  args: [
    ...waits,
    '-post_file',
    `/tekton/run/${index}/out`,
    '-termination_path',
    '/tekton/termination',
    '-step_metadata_dir',
    `/tekton/run/${index}/status`,
    '-entrypoint',
    `/tekton/scripts/script-${index}`,
    '--',
  ],
  terminationMessagePath: '/tekton/termination',
  volumeMounts: [
    mount('scripts', '/tekton/scripts', true),
    mount('ready', '/tekton/downward', true),
    mount(`creds-${index}`, '/tekton/creds'),
    // Its own can be written; those of the others can't.
    ...Array.from({ length: count }, (_, other) => mount(`run-${other}`, `/tekton/run/${other}`, other !== index)),
    mount('bin', '/tekton/bin', true),
    mount('workspace', '/workspace'),
    mount('home', '/tekton/home'),
    mount('results', '/tekton/results'),
  ],
});

/** A pipeline's: the first step waits for an annotation, the second for the first. */
export const steps = (namespace: string, name: string): object =>
  pod(name, {
    namespace,
    spec: {
      volumes: [
        ...['bin', 'scripts', 'workspace', 'home', 'results', 'run-0', 'run-1'].map(emptyDir),
        ...['creds-0', 'creds-1'].map((one) => ({ name: one, emptyDir: { medium: 'Memory' } })),
        {
          name: 'ready',
          downwardAPI: {
            items: [{ path: 'ready', fieldRef: { fieldPath: "metadata.annotations['tekton.dev/ready']" } }],
          },
        },
      ],
      initContainers: [
        copies('prepare', entrypoint, '/tekton/bin/entrypoint', mount('bin', '/tekton/bin')),
        {
          name: 'place-scripts',
          image,
          command: sh(
            'for i in 0 1; do printf "#!/bin/sh\necho step $i in \\$(pwd) | tee -a /workspace/log\nprintf $i >\\$STEP_RESULTS/said\n" >/tekton/scripts/script-$i; chmod 755 /tekton/scripts/script-$i; done',
          ),
          volumeMounts: [mount('scripts', '/tekton/scripts')],
        },
      ],
      containers: [
        step(0, 2, ['-wait_file', '/tekton/downward/ready', '-wait_file_content']),
        step(1, 2, ['-wait_file', '/tekton/run/0/out']),
      ],
    },
  });

const shell =
  'if [ -x /usr/local/bin/bash ]; then exec /usr/local/bin/bash; elif [ -x /bin/bash ]; then exec /bin/bash; elif [ -x /bin/sh ]; then exec /bin/sh; else echo shell not found; exit 1; fi';
const runnerContainer = (name: string): object => ({
  name,
  image,
  stdin: true,
  command: sh(shell),
  volumeMounts: [mount('builds', '/builds'), mount('logs', '/logs')],
});

/** A runner's: two shells that do nothing until they are told. */
export const runnerJob = (namespace: string, name: string): object =>
  pod(name, {
    namespace,
    spec: {
      terminationGracePeriodSeconds: 5,
      volumes: ['builds', 'logs'].map(emptyDir),
      initContainers: [
        {
          name: 'init-permissions',
          image,
          command: sh('touch /logs/output.log && chmod 777 /logs/output.log'),
          volumeMounts: [mount('logs', '/logs')],
        },
      ],
      containers: [runnerContainer('build'), runnerContainer('helper')],
    },
  });

/** Five at once of ten: the fourth fails once and is tried again, the eighth may not. */
export const indexed = (namespace: string, name: string): object => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, namespace },
  spec: {
    completionMode: 'Indexed',
    parallelism: 5,
    completions: 10,
    backoffLimitPerIndex: 1,
    podFailurePolicy: {
      rules: [{ action: 'FailIndex', onExitCodes: { containerName: 'main', operator: 'In', values: [42] } }],
    },
    template: {
      metadata: { labels: { app: name } },
      spec: podSpec({
        command: sh('case $JOB_COMPLETION_INDEX-$FAILURES in 3-0) exit 5 ;; 7-*) exit 42 ;; esac'),
        container: {
          env: [
            {
              name: 'FAILURES',
              valueFrom: {
                fieldRef: { fieldPath: "metadata.annotations['batch.kubernetes.io/job-index-failure-count']" },
              },
            },
          ],
        },
      }),
    },
  },
});

const emissary = String.raw`#!/bin/sh
[ "$1" = emissary ] && shift; [ "$1" = -- ] && shift
folder=/var/run/argo/ctr/$ARGO_CONTAINER_NAME; mkdir -p "$folder"
"$@" 2>&1 | tee "$folder/combined"; code=$?
printf $code >"$folder/exitcode"; exit $code
`;

/** A workflow's: `wait` waits for `main`, the sidecar is ended by a signal from outside. */
export const workflow = (namespace: string, name: string): object => {
  const argo = mount('argo', '/var/run/argo');
  return pod(name, {
    namespace,
    spec: {
      terminationGracePeriodSeconds: 20,
      volumes: [emptyDir('argo')],
      initContainers: [copies('init', emissary, '/var/run/argo/argoexec', argo)],
      containers: [
        {
          name: 'wait',
          image,
          command: sh(
            'until [ -s /var/run/argo/ctr/main/exitcode ]; do sleep 1; done; cat /var/run/argo/ctr/main/combined',
          ),
          volumeMounts: [argo],
        },
        {
          name: 'main',
          image,
          env: [{ name: 'ARGO_CONTAINER_NAME', value: 'main' }],
          command: ['/var/run/argo/argoexec', 'emissary', '--', 'echo', 'hello world'],
          volumeMounts: [argo],
        },
        ...[{}, { lifecycle: { preStop: { exec: { command: ['true'] } } } }].map((more, index) => ({
          name: `sidecar-${index}`,
          image,
          command: sh(`trap "echo caught TERM; exit ${index}" TERM; echo up; while :; do sleep 1; done`),
          ...more,
        })),
      ],
    },
  });
};
