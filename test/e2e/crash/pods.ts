/** Pods whose containers are data. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import type { PodHistory } from '../pod-recorder.ts';
import type { GatedCloud } from './gated-cloud.ts';

export interface ScriptedPod {
  readonly name: string;
  readonly restartPolicy: 'Never' | 'OnFailure' | 'Always';
  /** One for each start, in order; without `runMs` it runs until it is stopped. */
  readonly runs: readonly { readonly runMs?: number; readonly exitCode?: number }[];
}

const gate = 'serverless-kubelet.test/armed';

/** The manifest; `gated` pods are bound only after {@link release}. */
export function manifest({ name, restartPolicy, runs }: ScriptedPod, gated: boolean): V1Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      restartPolicy,
      ...(gated ? { schedulingGates: [{ name: gate }] } : {}),
      nodeSelector: { type: 'virtual-kubelet' },
      tolerations: [{ key: 'virtual-kubelet.io/provider', operator: 'Exists' }],
      terminationGracePeriodSeconds: 2,
      containers: [{ name: 'main', image: 'busybox:1.36', env: [{ name: 'SCRIPT', value: JSON.stringify({ runs }) }] }],
    },
  };
}

/** Lets a gated pod be bound. */
export async function release(cloud: GatedCloud, namespace: string, pod: V1Pod): Promise<void> {
  if (pod.spec !== undefined) pod.spec.schedulingGates = [];
  await cloud.core.replaceNamespacedPod({ namespace, name: pod.metadata?.name ?? '', body: pod });
}

/** A namespace in which a pod can be made at once. */
export async function createNamespace(cloud: GatedCloud, name: string): Promise<void> {
  await cloud.core.createNamespace({ body: { metadata: { name } } });
  for (;;) {
    const accounts = await cloud.core.listNamespacedServiceAccount({ namespace: name });
    if (accounts.items.length > 0) return;
    await sleep(100);
  }
}

const terminal = new Set(['Succeeded', 'Failed']);

export const isOver = (history: PodHistory | undefined): boolean => terminal.has(history?.phases.at(-1) ?? '');
