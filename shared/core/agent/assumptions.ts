/** What the agent, and some of what is done without it, relies on of Container Instances, and nobody has documented. */
export interface Assumption {
  readonly id: string;
  /** What is taken to be so. */
  readonly sentence: string;
  /** What is so where a probe found it to fail; half a sentence, before "here". */
  readonly otherwise: string;
  /** What a pod that asks for it is refused for then, or can't have. */
  readonly refused: readonly string[];
  /** What a pod gets then as if there were no agent; both empty: nothing follows. */
  readonly without: readonly string[];
}

const otherUser = 'the agent in a container whose image has another user than root';

const none = { refused: [], without: [] } as const;

/** In the order of docs/assumptions.md, which has how each is measured and what follows. */
export const assumptions = [
  {
    id: 'emptydir-runs',
    sentence: 'a program that an init container puts into an emptyDir runs in the other containers',
    otherwise: 'a program does not run in an emptyDir',
    refused: ['everything that needs the agent'],
    without: [],
  },
  {
    id: 'emptydir-any-user',
    sentence: 'an emptyDir can be written to by every user',
    otherwise: 'an emptyDir can be written to by root alone',
    refused: [otherUser],
    without: [],
  },
  {
    id: 'emptydir-restart',
    sentence: 'an emptyDir has its files still when a container is started again',
    otherwise: 'an emptyDir is empty when a container is started again',
    refused: ['the agent in pods whose containers ACI starts again (restartPolicy Always and OnFailure)'],
    without: [],
  },
  {
    id: 'init-once',
    sentence: 'init containers do not run again when a container is started again',
    otherwise: 'init containers run again',
    ...none,
  },
  {
    id: 'hosts-shared',
    sentence: 'what an init container adds to /etc/hosts is there in the other containers',
    otherwise: '/etc/hosts is not shared between containers',
    refused: ['hostAliases'],
    without: [],
  },
  {
    id: 'hosts-restart',
    sentence: 'and still there when a container is started again',
    otherwise: 'what was added to /etc/hosts is gone when a container is started again',
    refused: ['hostAliases in pods whose containers ACI starts again'],
    without: [],
  },
  {
    id: 'secret-modes',
    sentence: 'modes and owners that an init container gives to files of a secret volume are those that the others see',
    otherwise: 'modes and owners of files of a secret volume can not be changed',
    // The agent's own orders belong to who starts.
    refused: [otherUser],
    without: ['defaultMode', 'mode', 'fsGroup'],
  },
  {
    id: 'secret-memory',
    sentence: 'a secret volume is memory, and no disk',
    otherwise: 'a secret volume is on a disk',
    refused: [],
    without: ['Secrets that are renewed in running containers'],
  },
  {
    id: 'init-names',
    sentence: 'names resolve while init containers run',
    otherwise: 'names do not resolve while init containers run',
    refused: ['AGENT_DOWNLOAD'],
    without: [],
  },
  {
    id: 'init-app',
    sentence: 'the app is reached while init containers run, over a TLS that the wget of AGENT_DOWNLOAD_IMAGE has',
    otherwise: 'the app is not reached while init containers run',
    refused: ['AGENT_DOWNLOAD'],
    without: [],
  },
  {
    id: 'main-app',
    sentence: 'the app is reached from the containers',
    otherwise: 'the app is not reached from the containers',
    refused: ['probes of readiness and startup by the agent', 'terminationMessagePath'],
    without: ['reports of the agent', 'renewed volumes'],
  },
  {
    id: 'address-inside',
    sentence: "the address of a container's interface is that of its group",
    otherwise: 'a container has another address inside than its group',
    refused: ['status.podIP in the environment'],
    without: [],
  },
  {
    id: 'capabilities',
    sentence: 'root in a container may change users, owners and its own capabilities',
    otherwise: 'root in a container may not change users, owners or its own capabilities',
    refused: ['runAsUser', 'supplementalGroups', otherUser],
    without: ['runAsGroup', 'fsGroup', 'capabilities'],
  },
  {
    id: 'memory-events',
    sentence: 'a container can read when its memory was used up',
    otherwise: 'a container can not read when its memory was used up',
    refused: [],
    without: ['the reason OOMKilled'],
  },
  {
    id: 'processes-apart',
    sentence: 'containers of a group do not see each other’s processes',
    otherwise: 'containers of a group see each other’s processes',
    ...none,
  },
  {
    id: 'network-shared',
    sentence: 'containers of a group share 127.0.0.1',
    otherwise: 'containers of a group do not share 127.0.0.1',
    refused: ['probes of the agent to another container’s port'],
    without: [],
  },
  {
    id: 'stop-signal',
    sentence: 'a stop sends SIGTERM and waits',
    otherwise: 'a stop sends no SIGTERM',
    ...none,
  },
  {
    id: 'logs-after-stop',
    sentence: 'the log of a container can be read after a stop',
    otherwise: 'the log of a container is gone after a stop',
    ...none,
  },
  {
    id: 'failed-again',
    sentence: 'a container that failed is started again after 10 s',
    otherwise: 'a container that failed is started again at another time than after 10 s',
    ...none,
  },
  {
    id: 'exec-word',
    sentence: 'exec starts a program by one word, with a terminal',
    otherwise: 'exec does not start a program by one word',
    refused: ['preStop and stopSignal'],
    without: ['a grace that the program has asked for', 'renewed volumes'],
  },
  {
    id: 'exec-words',
    sentence: 'exec takes several words apart at blanks',
    otherwise: 'exec does not take words apart at blanks',
    ...none,
  },
  {
    id: 'secret-size',
    sentence: 'a secret volume takes a whole Secret, 1 MiB',
    otherwise: 'a secret volume does not take a Secret of 1 MiB',
    ...none,
  },
  {
    id: 'liveness-restart',
    sentence: 'a restart by a liveness probe is like one after a failure',
    otherwise: 'a restart by a liveness probe is not like one after a failure',
    ...none,
  },
] as const satisfies readonly Assumption[];

export type AssumptionId = (typeof assumptions)[number]['id'];

/** By its name in docs/assumptions.md, what does not go where an assumption fails. */
export type Feature = (typeof assumptions)[number]['refused' | 'without'][number];

export const isAssumptionId = (text: string): text is AssumptionId => assumptions.some(({ id }) => id === text);

/** What a probe found of one of them. */
export interface Finding {
  readonly id: AssumptionId;
  readonly outcome: 'holds' | 'fails' | 'unmeasured';
  /** What was seen, or why nothing was; one line. */
  readonly detail: string;
}
