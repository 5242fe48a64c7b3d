import type { ContainerStatus, Pod } from '../kubernetes/pod.ts';
import { needsAgentForProbes } from '../pod/probes.ts';
import type { ContainerStatuses } from './phase.ts';

/** What the relay's readiness probe found of one run of a container. */
export interface ReadinessReport {
  readonly container: string;
  /** `state.running.startedAt` of the status that was probed: of another run it says nothing. */
  readonly startedAt: string;
  readonly ready: boolean;
  /** Of the last failure, in a kubelet's words. */
  readonly message?: string;
}

const isProbed = (pod: Pod, name: string): boolean =>
  pod.spec.containers.some((container) => container.name === name && container.readinessProbe !== undefined);

/** By the relay, and not by the agent in the pod's group. */
export const isProbedByRelay = (pod: Pod, name: string): boolean =>
  isProbed(pod, name) &&
  !pod.spec.containers.some((container) => container.name === name && needsAgentForProbes(container));

const isOf = ({ name, state }: ContainerStatus, report: ReadinessReport): boolean =>
  name === report.container && state.kind === 'running' && state.startedAt === report.startedAt;

/** Those that speak of what runs now, and of containers whose readiness probe is the relay's. */
export const currentReports = (pod: Pod, reports: readonly ReadinessReport[]): readonly ReadinessReport[] =>
  reports.filter(
    (report) =>
      isProbedByRelay(pod, report.container) && pod.status.containerStatuses.some((status) => isOf(status, report)),
  );

/** The pod's container statuses, as the reports have them. */
export const withReports = (pod: Pod, reports: readonly ReadinessReport[]): ContainerStatuses => ({
  initContainerStatuses: pod.status.initContainerStatuses,
  containerStatuses: pod.status.containerStatuses.map((status) => {
    const report = reports.find((one) => isOf(status, one));
    return report === undefined ? status : { ...status, ready: report.ready };
  }),
});

/** Whether a report differs from what the status says, or has a failure to report. */
export const isReadinessNews = (pod: Pod, reports: readonly ReadinessReport[]): boolean =>
  currentReports(pod, reports).some((report) => {
    const status = pod.status.containerStatuses.find((one) => isOf(one, report));
    return report.message !== undefined || status?.ready !== report.ready;
  });

/**
 * Whether a container that runs is ready, as far as ACI's answer goes: without a readiness probe it is; with one the last
 * word on this very run is, and before the first it is not (core/v1, `readinessProbe`).
 */
export function isReadyRun(pod: Pod, status: ContainerStatus): boolean {
  if (status.state.kind !== 'running') return false;
  if (!isProbed(pod, status.name)) return true;
  const before = pod.status.containerStatuses.find(({ name }) => name === status.name);
  return before?.ready === true && before.state.kind === 'running' && before.state.startedAt === status.state.startedAt;
}
