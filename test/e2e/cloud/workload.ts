/** The objects around a pod's template, in the shapes that workloads have them. */
import { podSpec } from './cloud.ts';
import type { PodOptions } from './cloud.ts';

export const sh = (script: string): readonly string[] => ['sh', '-c', script];

export const mount = (name: string, mountPath: string, readOnly = false): object => ({ name, mountPath, readOnly });

/** A Service of the pods with the label `app: name`. */
export const service = (namespace: string, name: string, port: number, more: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace },
  spec: { selector: { app: name }, ports: [{ port }], ...more },
});

/** A Deployment or StatefulSet of pods with the label `app: name`. */
export const workload = (
  kind: 'Deployment' | 'StatefulSet',
  { namespace = 'default', name, ...template }: PodOptions & { readonly name: string },
  more: object,
): object => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name, namespace },
  spec: {
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: podSpec({ restartPolicy: 'Always', ...template }) },
    ...more,
  },
});
