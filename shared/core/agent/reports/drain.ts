import type { WordAnswer } from '../words.ts';
import type { Fault, Result } from '../../fault.ts';
import type { GroupObservation, ObservedContainer, ObservedState } from '../../group/group.ts';
import { instantMs, isAtOrAfter } from '../../status/time.ts';

/**
 * What came of the word to one container. `heard`: its agent ends the program, and reports the end. `signalled`: no agent stays
 * in it, and process 1 got the signal. `nobody`: there is no one to say it to. `unsure`: it may have been heard.
 */
export type DrainWord = 'heard' | 'signalled' | 'nobody' | 'unsure';

/** How the programs of a group are ended by their agents, as a pod's row keeps it. Times are the Table service's, ms. */
export interface Drain {
  /** Before the first word was said. */
  readonly at: number;
  /** Since when the end is known to be as near as it is. */
  readonly since: number;
  /** When the grace is over. It can only come nearer. */
  readonly by: number;
  /** Of each container that was spoken to, by its name; a nearer end forgets those that are to hear of it. */
  readonly words: Readonly<Record<string, DrainWord>>;
}

/** What the row keeps of an answer; undefined: nothing was said, and it is to be tried again. */
export function wordOf(answer: Result<WordAnswer>): DrainWord | undefined {
  if (answer.ok) {
    if (!answer.value.ok) return 'nobody';
    return answer.value.message === undefined ? 'heard' : 'signalled';
  }
  switch (answer.fault.kind) {
    case 'rejected':
    case 'denied':
    case 'not-found':
      return 'nobody';
    case 'transient':
      return 'unsure';
    case 'throttled':
    case 'conflict':
    case 'capacity':
      return undefined;
  }
}

/** Of several answers the fault that says when to say it again; undefined: all are known. */
export function whyUnsaid(answers: readonly Result<WordAnswer>[]): Fault | undefined {
  const faults = answers.flatMap((answer) => {
    const word = wordOf(answer);
    return answer.ok || word === 'nobody' ? [] : [answer.fault];
  });
  return faults.find(({ kind }) => kind === 'throttled') ?? faults[0];
}

/** Its program has ended for good, or ACI shows that its last run has. */
export const isOver = ({ instanceView, heard }: ObservedContainer): boolean =>
  heard?.isFinal === true || instanceView?.currentState?.state === 'Terminated';

/** Where nothing parks a container ACI may start it again after its drain: the end of the run that was drained counts. */
export function drainedGroup(group: GroupObservation, drain: Drain | undefined): GroupObservation {
  if (drain === undefined) return group;
  return { ...group, containers: group.containers.map((container) => withEndSince(container, drain)) };
}

function withEndSince(container: ObservedContainer, { at, words }: Drain): ObservedContainer {
  const { instanceView: view, heard: _, ...rest } = container;
  const end = view?.previousState;
  const isDrained = words[container.name] !== undefined && words[container.name] !== 'nobody';
  if (view === undefined || !isDrained || isOver(container) || !endedSince(end, at)) return container;
  return { ...rest, instanceView: { ...view, currentState: end } };
}

const endedSince = (end: ObservedState | undefined, at: number): end is ObservedState =>
  end?.state === 'Terminated' && isAtOrAfter(instantMs(end.finishTime) ?? 0, at);
