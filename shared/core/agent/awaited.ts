import type { Pod } from '../kubernetes/pod.ts';
import { flatContainers, hasSidecars } from '../pod/sidecars.ts';
import type { Obstacle } from './wraps.ts';
import type { Need } from './tier.ts';

/**
 * What the app does for agents beside making their groups: it hears their reports, has them end their programs when a pod is
 * deleted, gives them volumes anew, and brings programs their input.
 */
export type Service = 'reports' | 'drain' | 'files' | 'streams';

/** Those that this version does. One more here, and all that waits for it is given. */
export const served: readonly Service[] = ['reports', 'drain', 'files', 'streams'];

const every: readonly Service[] = ['reports', 'drain', 'files', 'streams'];

/** What is said of a field that the agent alone would give; half a sentence. */
const notYet: Readonly<Record<Service, string>> = {
  reports: 'this version of the app does not hear yet what it reports, so the status of the pod would not show it',
  drain: 'this version of the app does not have it end the program yet: when the pod is deleted, ACI does',
  files: 'this version of the app does not give it files anew yet',
  streams: 'this version of the app does not bring the program any input yet',
};

interface Awaited {
  /** From `spec`; `[]` for each item of a list. What is below is not meant. */
  readonly field: string;
  readonly service: Service;
}

const ofBoth = (service: Service, names: readonly string[]): readonly Awaited[] =>
  names.flatMap((name) =>
    ['containers', 'initContainers'].map((member) => ({ field: `spec.${member}[].${name}`, service })),
  );

/** Needs of the agent that it meets with one of those services alone: the pod would seem to have what it has not. */
export const awaited: readonly Awaited[] = [
  ...ofBoth('reports', [
    'startupProbe',
    'readinessProbe',
    'readinessProbe.exec',
    'readinessProbe.httpGet.host',
    'readinessProbe.tcpSocket.host',
    'terminationMessagePath',
    'restartPolicyRules',
  ]),
  { field: 'spec.containers[].restartPolicy', service: 'reports' },
  ...ofBoth('drain', ['lifecycle.stopSignal']),
  { field: 'spec.terminationGracePeriodSeconds', service: 'drain' },
  { field: 'spec.volumes[].downwardAPI.items[].fieldRef', service: 'files' },
  { field: 'spec.volumes[].projected.sources[].downwardAPI.items[].fieldRef', service: 'files' },
  { field: 'spec.volumes[].projected.sources[].serviceAccountToken', service: 'files' },
  ...ofBoth('streams', ['stdin', 'stdinOnce']),
];

interface Partly extends Awaited {
  /** What is not given without the service; half a sentence. */
  readonly rest: string;
  readonly when?: (pod: Pod) => boolean;
}

const noHook =
  'it runs where a probe ends the container, and not yet when the pod is deleted: the stop of ACI goes to the program at once';
const uncounted =
  'where the agent has to start it again, because the restartPolicy of the pod would not, nobody counts that yet';

/** Needs that are met but for a part, of which an event is made. */
const partly: readonly Partly[] = [
  ...ofBoth('drain', ['lifecycle.preStop.exec', 'lifecycle.preStop.httpGet']).map((row) => ({ ...row, rest: noHook })),
  {
    field: 'spec.initContainers[].restartPolicy',
    service: 'reports',
    rest: uncounted,
    when: ({ spec }) => spec.restartPolicy !== 'Always',
  },
];

const rowOf = (field: string): string => field.replaceAll(/\[\d+\]/g, '[]');

/** Why the agent can't give this yet, half a sentence; undefined: it can. `field` with or without the places in lists. */
export function awaitedFor(field: string, serves: readonly Service[] = every): string | undefined {
  const row = awaited.find((one) => one.field === rowOf(field));
  return row === undefined || serves.includes(row.service) ? undefined : notYet[row.service];
}

/** What of a field the agent can't give yet; undefined: it gives all of it. */
export const restOf = (field: string, serves: readonly Service[] = every): string | undefined =>
  partly.find((one) => one.field === rowOf(field) && !serves.includes(one.service))?.rest;

/** The same for a pod's needs. */
export const partlyGiven = (
  pod: Pod,
  needs: readonly Need[],
  serves: readonly Service[] = every,
): readonly { readonly path: string; readonly reason: string }[] =>
  needs.flatMap(({ field }) => {
    const row = partly.find((one) => one.field === rowOf(field));
    const isMet = row === undefined || serves.includes(row.service) || row.when?.(pod) === false;
    return isMet ? [] : [{ path: field, reason: row.rest }];
  });

/** Init containers behind a sidecar run among the others, which wait in their agents and seem to run. */
function behindSidecars(pod: Pod, serves: readonly Service[]): readonly Obstacle[] {
  if (serves.includes('reports') || !hasSidecars(pod)) return [];
  return flatContainers(pod)
    .filter(({ isSidecar }) => !isSidecar)
    .map(({ index }) => ({
      field: `spec.initContainers[${index}]`,
      why: `it comes after a sidecar, so the other containers would wait for it inside; ${notYet.reports}`,
    }));
}

export interface Awaiting {
  /** What the agent can give now. */
  readonly needs: readonly Need[];
  /** What it would give, and is refused until it can. */
  readonly held: readonly Obstacle[];
}

/** Of a pod that may have the agent. What is only wanted is no reason for it then, and what is needed is refused. */
export function awaiting(pod: Pod, all: readonly Need[], serves: readonly Service[] = every): Awaiting {
  const held = all.flatMap(({ field, strength, why }): readonly Obstacle[] => {
    const reason = strength === 'needs' ? awaitedFor(field, serves) : undefined;
    return reason === undefined ? [] : [{ field, why: `${why}; the agent would give it, but ${reason}` }];
  });
  return {
    needs: all.filter(({ field }) => awaitedFor(field, serves) === undefined),
    held: [...held, ...behindSidecars(pod, serves)],
  };
}
