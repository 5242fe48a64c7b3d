/** How one gauge is reported: what is steady is repeated rarely, so that a node at rest costs next to nothing. */
export interface Quiet {
  /** Values of this kind are all the same to a reader: at most, at least, or only equal ones. */
  readonly when: { readonly atMost: number } | { readonly atLeast: number } | 'unchanged';
  /** A steady value is reported again after so long. */
  readonly repeatSeconds: number;
}

interface Metric {
  readonly kind: 'counter' | 'histogram' | 'gauge';
  /** UCUM. */
  readonly unit: string;
  readonly description: string;
  readonly attributes: readonly string[];
  readonly quiet?: Quiet;
}

const unchanged: Quiet = { when: 'unchanged', repeatSeconds: 900 };

/** Every metric of the app, and the only ones: docs/observe.md has the same table, and a test holds both together. */
export const metrics = {
  'serverless_kubelet.pods': {
    kind: 'gauge',
    unit: '{pod}',
    description: 'Pods bound to the node by phase, as the last resync listed them.',
    attributes: ['node', 'phase'],
    quiet: unchanged,
  },
  'serverless_kubelet.pod.accepted.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'From the binding of a pod to the accepted PUT of its group.',
    attributes: ['node'],
  },
  'serverless_kubelet.pod.running.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'From the binding of a pod to the status with phase Running.',
    attributes: ['node'],
  },
  'serverless_kubelet.pod.status.lag': {
    kind: 'histogram',
    unit: 's',
    description: 'From the end of a container, by ACI, to the status that reports it.',
    attributes: ['node'],
  },
  'serverless_kubelet.arm.budget': {
    kind: 'gauge',
    unit: '1',
    description: 'Part of an ARM or ACI budget that is left, 0 to 1, as ARM last reported.',
    attributes: ['bucket'],
    quiet: { when: { atLeast: 0.5 }, repeatSeconds: 900 },
  },
  'serverless_kubelet.lease.age': {
    kind: 'gauge',
    unit: 's',
    description: "Age of the node's Lease when a beat found it, by the API server's time.",
    attributes: ['node'],
    quiet: { when: { atMost: 30 }, repeatSeconds: 300 },
  },
  'serverless_kubelet.orphans': {
    kind: 'gauge',
    unit: '{group}',
    description: 'Groups of the node without a pod that nothing explains, at the last resync or count.',
    attributes: ['node'],
    quiet: unchanged,
  },
  'serverless_kubelet.unknown_groups': {
    kind: 'gauge',
    unit: '{group}',
    description: 'Groups of this installation whose cluster or node is not registered.',
    attributes: [],
    quiet: unchanged,
  },
  'serverless_kubelet.quota.used': {
    kind: 'gauge',
    unit: '1',
    description: "Part of the region's quota that is used, 0 to 1; by all, not only by this installation.",
    attributes: ['quota'],
    quiet: { when: { atMost: 0.8 }, repeatSeconds: 900 },
  },
  'serverless_kubelet.group.cpu': {
    kind: 'counter',
    unit: 'vCPU.s',
    description: "What the node's groups have reserved since the resync before; an estimate, the ledger has the bill.",
    attributes: ['node'],
  },
  'serverless_kubelet.faults': {
    kind: 'counter',
    unit: '{fault}',
    description: 'Calls of a port that ended in a fault; an object that is absent is an answer and none.',
    attributes: ['port', 'kind'],
  },
  'serverless_kubelet.sweep.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'One sweep that found something to do.',
    attributes: [],
  },
  'serverless_kubelet.sweep.due': {
    kind: 'gauge',
    unit: '{pod}',
    description: 'Pods that were due when a sweep began, at most 200.',
    attributes: ['node'],
    quiet: unchanged,
  },
  'serverless_kubelet.sweep.overdue': {
    kind: 'histogram',
    unit: 's',
    description: 'How long after its due time a sweep came to a pod.',
    attributes: ['node'],
  },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof metrics;

/** The attributes of one metric, all of them, and no other. */
export type MetricAttributes<Name extends MetricName> = Readonly<
  Record<(typeof metrics)[Name]['attributes'][number], string>
>;

/** A metric's row in the table, without its own types. */
export const metricOf = (name: MetricName): Metric => metrics[name];
