import type { JsonBody } from './cluster.ts';
import { node } from './cloud.ts';

export interface PodKind {
  readonly restartPolicy: 'Always' | 'Never' | 'OnFailure';
  /** How long its container runs; absent: until it is stopped. */
  readonly runMs?: number;
  /** It has a hook, for which it gets the agent. */
  readonly hasAgent?: true;
}

/** What only an agent can run. */
export const hook = { exec: { command: ['true'] } } as const;

/** A pod bound to the node, whose container is data to the scripted runtime. */
export const podManifest = (name: string, { restartPolicy, runMs, hasAgent }: PodKind): JsonBody => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: {
    nodeName: node,
    restartPolicy,
    terminationGracePeriodSeconds: 5,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    containers: [
      {
        name: 'main',
        image: 'registry.example/job:1',
        command: ['script', JSON.stringify({ runs: [runMs === undefined ? {} : { runMs, exitCode: 0 }] })],
        ...(hasAgent && { lifecycle: { postStart: hook } }),
        resources: { requests: { cpu: '1', memory: '1Gi' } },
      },
    ],
    tolerations: [{ operator: 'Exists' }],
  },
});

/** Works through `items`, so many at a time. */
export async function forEachAtOnce<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = items.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const item of waiting) await work(item);
    }),
  );
}
