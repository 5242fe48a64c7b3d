/** Paths of the app's HTTP functions, from `/api` on; `functions/` has their routes. */

const path = (...segments: readonly string[]): string =>
  ['', 'api', 'clusters', ...segments.map((segment) => encodeURIComponent(segment.toWellFormed()))].join('/');

/** `POST`: what changed. */
export const podEventsPath = (clusterUid: string): string => path(clusterUid, 'pod-events');

/** The container whose log is asked for. */
export interface LogTarget {
  readonly node: string;
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  readonly container: string;
  /** Lines from the end; absent: all that ACI keeps. */
  readonly tail?: number;
}

/** The container that somebody wants to speak to. */
export type StreamTarget = Omit<LogTarget, 'tail'>;

/** What a session is asked for. */
export type StreamKind = 'exec' | 'attach' | 'portforward';

/** `POST`: opens one session with a container. */
export const containerStreamPath = (
  clusterUid: string,
  { node, namespace, pod, uid, container }: StreamTarget,
  kind: StreamKind,
): string => path(clusterUid, 'nodes', node, 'pods', namespace, pod, uid, 'containers', container, kind);

/** `POST`: whether the app itself reaches a session with a container. */
export const sessionDialPath = (clusterUid: string, { node, namespace, pod, uid, container }: StreamTarget): string =>
  path(clusterUid, 'nodes', node, 'pods', namespace, pod, uid, 'containers', container, 'session-dial');

/** `GET`: what ACI keeps of a container's log, each line with its instant. */
export function containerLogsPath(
  clusterUid: string,
  { node, namespace, pod, uid, container, tail }: LogTarget,
): string {
  const logs = path(clusterUid, 'nodes', node, 'pods', namespace, pod, uid, 'containers', container, 'logs');
  return tail === undefined ? logs : `${logs}?tail=${tail}`;
}
