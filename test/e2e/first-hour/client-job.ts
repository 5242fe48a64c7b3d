import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { namespace } from './shop.ts';

const account = { name: 'client', namespace };
const authority = '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt';
const anonymous = `curl -sS -o /dev/null -w '%{http_code}\\n' --cacert ${authority}`;

/** One file; packed, because a ConfigMap holds 1 MiB. */
async function packedProgram(): Promise<string> {
  const bundle = await rolldown({ input: join(import.meta.dirname, 'count-pods.ts'), platform: 'node' });
  const { output } = await bundle.generate({ format: 'esm', minify: true, codeSplitting: false });
  return gzipSync(output[0].code).toString('base64');
}

const job = (name: string, container: object) => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, namespace },
  spec: {
    backoffLimit: 0,
    template: {
      spec: {
        restartPolicy: 'Never',
        serviceAccountName: account.name,
        nodeSelector: { type: 'virtual-kubelet' },
        tolerations: [{ key: 'virtual-kubelet.io/provider', operator: 'Exists' }],
        containers: [{ name: 'main', volumeMounts: [{ name: 'program', mountPath: '/srv/client' }], ...container }],
        volumes: [{ name: 'program', configMap: { name: 'client' } }],
      },
    },
  },
});

/**
 * Two Jobs on the virtual node: `client` lists its own pod by a client library, and `names` asks by each name that the
 * API server's certificate has, and verifies it.
 */
export const clientObjects = async (): Promise<readonly object[]> => [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: account },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: account,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [{ kind: 'ServiceAccount', ...account }],
  },
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: account,
    binaryData: { 'count-pods.mjs.gz': await packedProgram() },
  },
  job('client', {
    image: 'docker.io/library/node:24-slim',
    command: ['sh', '-ec', 'gunzip -c /srv/client/count-pods.mjs.gz > /tmp/count-pods.mjs; node /tmp/count-pods.mjs'],
  }),
  job('names', {
    image: 'docker.io/library/debian:bookworm',
    command: [
      'bash',
      '-ec',
      ['$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT', 'kubernetes.default.svc', 'kubernetes.default']
        .map((host) => `${anonymous} https://${host}/api`)
        .join('\n'),
    ],
  }),
];
