import { isTerminalPhase } from '../kubernetes/pod.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { observedContainer } from '../group/observed-container.ts';
import { containersOf } from '../pod-events/pod-event.ts';
import { podEvents } from '../pod-events/table.ts';
import { deletedStatus, podStatusFromGroup } from '../status/status.ts';
import { waitForAnyPut } from './absent-pod.ts';
import { deleteGroup, groupThatIs, stopGroup, wasSent } from './end-group.ts';
import { asHeard, groupAsRemembered } from './heard.ts';
import { drainStage, sayDrain } from './drain.ts';
import type { DrainStage } from './drain.ts';
import { again, forPods, inMs, patch, createEvent } from './rule.ts';
import { stopAt } from './pre-stop.ts';
import { releasePod } from './terminal-pod.ts';
import { timing } from './timing.ts';
import type { GroupObservation } from '../group/group.ts';
import type { Effect, Observed } from './observed.ts';

/** How long past the grace period `stop` is tried before the group is deleted without it. */
const stopPatienceMs = 30_000;

const isDeleting = (pod: Pod): boolean =>
  pod.metadata.deletionTimestamp !== undefined && !isTerminalPhase(pod.status.phase);

/**
 * Graceful delete: harvest what has ended, end the rest (by the agents within the grace where there are some, else and then
 * by a stop), confirm, write the terminal status, delete the group, confirm, delete the pod. Each round does the next step that the world asks for.
 */
export const deletingPodRules = forPods(isDeleting, [
  {
    reason: 'put-may-be-in-flight',
    message: 'The pod is deleted, and a PUT for it may still land',
    judge: (observed) => (observed.sight.kind === 'seen' ? undefined : waitForAnyPut(observed)),
  },
  {
    reason: 'release-pod',
    message: 'The pod has no group any more, so it goes',
    judge: (observed, pod) =>
      observed.sight.kind === 'seen'
        ? undefined
        : { ...releasePod, effects: [...terminal(observed, pod, undefined), ...releasePod.effects] },
  },
  {
    reason: 'delete-unprovisioned',
    message: 'The pod is deleted and its group only being made: `stop` would be refused for as long',
    judge: (observed, pod) => {
      const group = groupThatIs(observed, 'provisioning');
      return group === undefined ? undefined : deleteGroup(observed, harvest(observed, pod, group));
    },
  },
  {
    reason: 'delete-drained',
    message: 'The programs of the deleted pod have ended, and how is known: it is the last that the status says',
    judge: (observed, pod) => {
      const stage = drainOf(observed, pod);
      if (stage?.kind !== 'ended') return undefined;
      const status = deletedStatus({ pod, group: stage.group, now: observed.now });
      return { effects: patch(pod, status), row: {}, next: again };
    },
  },
  {
    reason: 'delete-overdue',
    message: 'The grace period is long over and `stop` has not ended the containers',
    judge: (observed, pod) => {
      const group = groupThatIs(observed, 'running');
      if (group === undefined || !isOverdue(observed, pod)) return undefined;
      return deleteGroup(observed, [...harvest(observed, pod, group), ...killing(pod, group)]);
    },
  },
  {
    reason: 'stop-was-sent',
    message: 'ARM has taken the stop and still shows the containers running',
    judge: (observed, pod) => {
      const group = groupThatIs(observed, 'running');
      return group !== undefined && wasSent(observed, 'stop')
        ? { effects: harvest(observed, pod, group), row: {}, next: inMs(timing.deleteConfirmMs) }
        : undefined;
    },
  },
  {
    reason: 'drain',
    message: 'The pod is deleted, so its agents are asked to end their programs within the grace',
    judge: (observed, pod) => {
      const stage = drainOf(observed, pod);
      const group = groupThatIs(observed, 'running');
      if (stage?.kind !== 'say' || group === undefined) return undefined;
      return { effects: [...killing(pod, group), ...sayDrain(stage)], row: {}, next: again };
    },
  },
  {
    reason: 'draining',
    message: 'The agents of the deleted pod end their programs; how is waited for, within the grace',
    judge: (observed, pod) => {
      const stage = drainOf(observed, pod);
      const group = groupThatIs(observed, 'running');
      if (stage?.kind !== 'wait' || group === undefined) return undefined;
      return { effects: harvestSome(observed, pod, group), row: {}, next: inMs(stage.ms) };
    },
  },
  {
    reason: 'pre-stop-sleep',
    message: 'The pod is deleted, and a preStop hook asks to wait before its containers are ended',
    judge: (observed, pod) => {
      const group = groupThatIs(observed, 'running');
      if (group === undefined) return undefined;
      const leftMs = stopAt(pod, group) - observed.now;
      const effects = [...harvest(observed, pod, group), ...killing(pod, group)];
      return leftMs > 0 ? { effects, row: {}, next: inMs(leftMs) } : undefined;
    },
  },
  {
    reason: 'stop',
    message: 'The pod is deleted, so its containers are ended',
    judge: (observed, pod) => {
      const group = groupThatIs(observed, 'running');
      return group === undefined
        ? undefined
        : stopGroup(observed, [...harvest(observed, pod, group), ...killing(pod, group)]);
    },
  },
  {
    reason: 'delete-ended',
    message: 'The containers of the deleted pod have ended, so its group goes',
    judge: (observed, pod) => {
      const group = groupThatIs(observed, 'ended', 'stopped', 'failed-to-provision');
      return group === undefined ? undefined : deleteGroup(observed, terminal(observed, pod, group));
    },
  },
]);

function drainOf(observed: Observed, pod: Pod): DrainStage | undefined {
  const group = groupThatIs(observed, 'running');
  return group && drainStage(observed, pod, { group, until: (since) => graceEnds(pod, since) });
}

/** With a kubelet's least where the deletion is seen late; undefined: there is no grace. */
function graceEnds({ metadata }: Pod, since: number): number | undefined {
  const deadline = Date.parse(metadata.deletionTimestamp ?? '');
  if (!Number.isFinite(deadline) || metadata.deletionGracePeriodSeconds === 0) return undefined;
  return Math.max(deadline, since + timing.leastGraceMs);
}

function isOverdue({ now }: Observed, pod: Pod): boolean {
  const deadline = Date.parse(pod.metadata.deletionTimestamp ?? '');
  return Number.isFinite(deadline) && now > deadline + stopPatienceMs;
}

/** Of each container that a stop or DELETE ends. */
const killing = (pod: Pod, group: GroupObservation): readonly Effect[] =>
  containersOf(pod)
    .filter((container) => observedContainer(group, container)?.instanceView?.currentState?.state === 'Running')
    .map((container) => createEvent(podEvents.killing.of(container)));

/** What has ended already is in the status before anything erases it. */
function harvest({ row, facts, now }: Observed, pod: Pod, seen: GroupObservation): readonly Effect[] {
  const group = asHeard({ row }, pod, seen);
  const ended = [...group.containers, ...group.initContainers].some(
    (container) => container.instanceView?.currentState?.state === 'Terminated',
  );
  if (!ended) return [];
  return patch(pod, podStatusFromGroup({ pod, group, hostIP: facts.hostIP, now }), group);
}

/** While others still end: a phase that is final would let the group go. */
const harvestSome = (observed: Observed, pod: Pod, group: GroupObservation): readonly Effect[] =>
  harvest(observed, pod, group).filter(
    (effect) => effect.kind !== 'patch-status' || !isTerminalPhase(effect.status.phase),
  );

function terminal({ row, now }: Observed, pod: Pod, seen: GroupObservation | undefined): readonly Effect[] {
  const group = seen === undefined ? groupAsRemembered(pod, row) : asHeard({ row }, pod, seen);
  return patch(pod, deletedStatus({ pod, group, now }));
}
