/** One metric of `/metrics`, as documentation may quote it. */
export interface MetricRow {
  readonly type: 'gauge' | 'counter' | 'histogram';
  /** Never a pod's or a container's name: the number of series must not grow with the pods. */
  readonly labels: readonly ('node' | 'result' | 'path' | 'code')[];
  readonly help: string;
}

/** All that a relay shows at `/metrics`. Those with "while it leads" are absent from a replica that does not. */
export const metricTable = {
  serverless_kubelet_relay_leader: {
    type: 'gauge',
    labels: [],
    help: '1 while this replica watches, posts and renews, else 0',
  },
  serverless_kubelet_relay_pods: {
    type: 'gauge',
    labels: ['node'],
    help: 'Pods bound to the node, while it leads',
  },
  serverless_kubelet_relay_lease_age_seconds: {
    type: 'gauge',
    labels: ['node'],
    help: "Time since the node's Lease was last seen to change, whoever renewed it, while it leads",
  },
  serverless_kubelet_relay_lease_renewals_total: {
    type: 'counter',
    labels: ['node'],
    help: "How often the relay renewed the node's Lease because the app did not",
  },
  serverless_kubelet_relay_watch_restarts_total: {
    type: 'counter',
    labels: ['node'],
    help: "How often the watch of the node's pods was opened anew; once in five to nine minutes is usual",
  },
  serverless_kubelet_relay_outbox_pods: {
    type: 'gauge',
    labels: [],
    help: 'Pods whose newest state the app has not taken yet, while it leads',
  },
  serverless_kubelet_relay_posts_total: {
    type: 'counter',
    labels: ['result'],
    help: 'Posts to the app, ticks included: taken, refused (for good) or again (no answer, or one that may pass)',
  },
  serverless_kubelet_relay_post_duration_seconds: {
    type: 'histogram',
    labels: [],
    help: "From a post's start to the app's answer, or to giving up",
  },
  serverless_kubelet_relay_app_last_success_timestamp_seconds: {
    type: 'gauge',
    labels: [],
    help: 'When the app last took a post, in seconds since the epoch; absent before the first',
  },
  serverless_kubelet_relay_kubelet_requests_total: {
    type: 'counter',
    labels: ['path', 'code'],
    help: "Requests to the nodes' kubelet ports, by the first part of the path; code 499: the client went first",
  },
  process_cpu_seconds_total: { type: 'counter', labels: [], help: 'Processor time of the process' },
  process_resident_memory_bytes: { type: 'gauge', labels: [], help: 'Resident memory of the process' },
  process_start_time_seconds: {
    type: 'gauge',
    labels: [],
    help: 'When the process started, in seconds since the epoch',
  },
} as const satisfies Readonly<Record<string, MetricRow>>;

export type MetricName = keyof typeof metricTable;

/** Of `serverless_kubelet_relay_post_duration_seconds`, in seconds: from a warm app to its deadline with a cold start. */
export const durationBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 45];
