import * as z from 'zod';
import { providerTaint } from '../../../shared/core/node/node-status.ts';
import { reachScript } from '../inspect/pods-reach/script.ts';

/** By these a later run finds what an earlier one left. */
export const reachLabels = {
  'app.kubernetes.io/part-of': 'serverless-kubelet',
  'app.kubernetes.io/component': 'reach',
};

export interface ReachImages {
  readonly musl: string;
  readonly glibc: string;
}

export interface ReachPodWants {
  readonly name: string;
  readonly namespace: string;
  readonly node: string;
  readonly images: ReachImages;
  readonly environment: Readonly<Record<string, string>>;
  /** After this it is ended, whoever made it. */
  readonly deadlineSeconds: number;
  /** The namespace takes only pods that the Pod Security Standard calls restricted; the images then name a user. */
  readonly isRestricted: boolean;
}

/** The containers whose logs are read, by their names. */
export const reachContainers = ['init', 'musl', 'glibc'] as const;

/** A pod that tries each hop in an init container and in one container of each libc, and ends. Pure. */
export function reachPod(wants: ReachPodWants): object {
  const { name, namespace, node, images, deadlineSeconds, isRestricted } = wants;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: reachLabels },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      activeDeadlineSeconds: deadlineSeconds,
      terminationGracePeriodSeconds: 1,
      nodeSelector: { 'kubernetes.io/hostname': node },
      tolerations: [{ key: providerTaint.key, operator: 'Exists' }],
      ...(isRestricted && { securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } } }),
      initContainers: [container('init', images.musl, wants)],
      containers: [container('musl', images.musl, wants), container('glibc', images.glibc, wants)],
    },
  };
}

const container = (name: string, image: string, { environment, isRestricted }: ReachPodWants): object => ({
  name,
  image,
  command: ['/bin/sh', '-c', reachScript],
  env: Object.entries(environment).map(([variable, value]) => ({ name: variable, value })),
  resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '100m', memory: '64Mi' } },
  ...(isRestricted && { securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } }),
});

const containerStatuses = z
  .array(
    z.object({
      name: z.string(),
      state: z
        .object({ waiting: z.object({ reason: z.string().default(''), message: z.string().default('') }).optional() })
        .prefault({}),
    }),
  )
  .default([]);

const podSchema = z.object({
  status: z
    .object({
      phase: z.string().default('Pending'),
      reason: z.string().default(''),
      message: z.string().default(''),
      conditions: z
        .array(
          z.object({
            type: z.string(),
            status: z.string(),
            reason: z.string().default(''),
            message: z.string().default(''),
          }),
        )
        .default([]),
      initContainerStatuses: containerStatuses,
      containerStatuses,
    })
    .prefault({}),
});

/** How far the pod is. */
export interface ReachPodState {
  readonly phase: string;
  /** Why it is not further, by its own reason; empty where it says none. */
  readonly reason: string;
  /** The message of that reason. */
  readonly message: string;
}

/** Common to all that wait for another one. */
const quietReasons = ['', 'PodInitializing', 'ContainerCreating'];

/** Reads a pod; undefined: it is none. Pure. */
export function parseReachPod(json: unknown): ReachPodState | undefined {
  const status = podSchema.safeParse(json).data?.status;
  if (status === undefined) return undefined;
  const { phase, reason, message, conditions } = status;
  if (reason !== '') return { phase, reason, message };
  const unscheduled = conditions.find((one) => one.type === 'PodScheduled' && one.status === 'False');
  if (unscheduled !== undefined)
    return { phase, reason: unscheduled.reason || 'Unschedulable', message: unscheduled.message };
  const waiting = [...status.initContainerStatuses, ...status.containerStatuses].flatMap(
    ({ state }) => state.waiting ?? [],
  );
  const shown =
    waiting.find((one) => !quietReasons.includes(one.reason)) ??
    waiting.find((one) => one.message !== '') ??
    waiting[0];
  return { phase, reason: shown?.reason ?? '', message: shown?.message ?? '' };
}
