import { isSameKey } from '../access.ts';
import type { AgentKeyName } from '../access.ts';
import { readAgentKey } from '../agent-tags.ts';
import type { GroupObservation } from '../../group/group.ts';
import type { Drain } from './drain.ts';
import { isLater } from './report.ts';
import type { AgentReport, AgentState, ProgramEnd } from './report.ts';

/** What a pod's row keeps of the agents in its group. */
export interface AgentMemory {
  /** Of the PUT that made the group: who has another one is not heard. */
  readonly key: AgentKeyName;
  /** Containers whose agent stays beside the program, and so will report; unknown, and empty, where the rows were lost since. */
  readonly expected: readonly string[];
  /** The latest word of each container that has reported, by its name. */
  readonly containers: Readonly<Record<string, HeardContainer>>;
  /** Undefined: nobody has asked them to end their programs. */
  readonly drain?: Drain;
  /** Containers whose agents were asked why nobody hears them, by their names, with what came of it: half a sentence. */
  readonly silent?: Readonly<Record<string, string>>;
}

export interface HeardContainer {
  readonly bootId: string;
  readonly number: number;
  /** How many starts of the container have reported. */
  readonly boots: number;
  readonly sentAt: number;
  readonly state: AgentState;
}

/** Of a group that is about to be made, or of one whose tags are all that is known. */
export const newMemory = (key: AgentKeyName, expected: readonly string[] = []): AgentMemory => ({
  key,
  expected,
  containers: {},
});

/** What the row keeps of a group with this key: what was heard of another group's agents counts no more. */
export function memoryFor(
  known: AgentMemory | undefined,
  key: AgentKeyName | undefined,
  expected: readonly string[] = [],
): AgentMemory | undefined {
  if (key === undefined) return undefined;
  return known !== undefined && isSameKey(known.key, key) ? known : newMemory(key, expected);
}

/** What is remembered of the agents in this group; undefined: nothing, or it is of the agents of another PUT. */
export function memoryOf(
  { tags }: Pick<GroupObservation, 'tags'>,
  memory: AgentMemory | undefined,
): AgentMemory | undefined {
  const key = readAgentKey(tags);
  return memory !== undefined && key !== undefined && isSameKey(key, memory.key) ? memory : undefined;
}

/** A kubelet gives all termination messages of a pod together so many bytes (pkg/kubelet, `MaxPodTerminationMessageLogLength`). */
const messageBytes = 12 * 1024;
const longestMessage = 4096;
/**
 * Characters, as JSON, that a row keeps of all containers. Sixty honest ones need less than half. A container has its pod's
 * key and may report of as many names as it likes; the Table service refuses a row of 1 MiB, and what is written with it.
 */
const mostKept = 200_000;

/**
 * The memory after a report of one of the pod's containers; undefined: the report changes nothing, since it is no later than
 * what is known, or more than a row keeps of one pod. `count`: how many containers the pod has, since all their messages have
 * to fit together.
 */
export function hear(memory: AgentMemory, report: AgentReport, count: number): AgentMemory | undefined {
  const known = memory.containers[report.container];
  if (known !== undefined && !isLater(report, known)) return undefined;
  const boots = known === undefined ? 1 : known.boots + (report.bootId === known.bootId ? 0 : 1);
  const { bootId, number, sentAt } = report;
  const most = Math.min(longestMessage, Math.floor(messageBytes / Math.max(1, count)));
  const heard = { bootId, number, boots, sentAt, state: withinBytes(report.state, most) };
  const containers = { ...memory.containers, [report.container]: heard };
  if (JSON.stringify(containers).length > mostKept) return undefined;
  const { silent, ...rest } = memory;
  // Who has spoken is not silent any more.
  const { [report.container]: _, ...others } = silent ?? {};
  return { ...rest, ...(Object.keys(others).length > 0 && { silent: others }), containers };
}

/** What two processes heard at the same time: of each container the later word. Of another key `ours` alone counts. */
export function joined(ours: AgentMemory | undefined, theirs: AgentMemory | undefined): AgentMemory | undefined {
  if (ours === undefined || theirs === undefined || !isSameKey(ours.key, theirs.key)) return ours;
  const containers = { ...ours.containers };
  for (const [name, heard] of Object.entries(theirs.containers)) {
    const known = containers[name];
    if (known === undefined || isLater(heard, known)) containers[name] = heard;
  }
  const silent = Object.fromEntries(
    Object.entries(ours.silent ?? {}).filter(([name]) => containers[name] === undefined),
  );
  const { silent: _, ...rest } = ours;
  return { ...rest, ...(Object.keys(silent).length > 0 && { silent }), containers };
}

function withinBytes(state: AgentState, most: number): AgentState {
  const { ended, lastEnded } = state;
  return {
    ...state,
    ...(ended && { ended: cut(ended, most) }),
    ...(lastEnded && { lastEnded: cut(lastEnded, most) }),
  };
}

function cut(end: ProgramEnd, most: number): ProgramEnd {
  const bytes = new TextEncoder().encode(end.message ?? '');
  if (bytes.length <= most) return end;
  let length = most;
  while (length > 0 && ((bytes[length] ?? 0) & 0xc0) === 0x80) length -= 1;
  return { ...end, message: new TextDecoder().decode(bytes.subarray(0, length)) };
}
