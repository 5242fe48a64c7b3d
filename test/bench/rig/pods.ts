import type { JsonBody } from './cluster.ts';
import { node } from './cloud.ts';

export interface PodKind {
  readonly restartPolicy: 'Always' | 'Never' | 'OnFailure';
  /** How long its container runs; absent: until it is stopped. */
  readonly runMs?: number;
}

/** A pod bound to the node, whose container is data to the scripted runtime. */
export const podManifest = (name: string, { restartPolicy, runMs }: PodKind): JsonBody => ({
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

/** Waits until `isSo`, asked every so often; false when it is not so within the time. */
export async function waitUntil(
  isSo: () => boolean | Promise<boolean>,
  { withinMs, everyMs = 250 }: { readonly withinMs: number; readonly everyMs?: number },
): Promise<boolean> {
  const endMs = performance.now() + withinMs;
  while (performance.now() < endMs) {
    if (await isSo()) return true;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  return isSo();
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));
