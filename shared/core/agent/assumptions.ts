/** What the agent, and some of what is done without it, relies on of Container Instances, and nobody has documented. */
export interface Assumption {
  readonly id: string;
  /** What is taken to be so. */
  readonly sentence: string;
  /** What is refused by name where it is not so; empty: nothing, it is noted. */
  readonly refused: readonly string[];
}

const agentItself = ['everything that needs the agent'];

/** In the order of docs/assumptions.md, which has how each is measured and what follows. */
export const assumptions = [
  {
    id: 'emptydir-runs',
    sentence: 'a program that an init container puts into an emptyDir runs in the other containers',
    refused: agentItself,
  },
  {
    id: 'emptydir-any-user',
    sentence: 'an emptyDir can be written to by every user',
    refused: ['the agent in a container whose image has another user than root'],
  },
  {
    id: 'emptydir-restart',
    sentence: 'an emptyDir has its files still when a container is started again',
    refused: ['the agent in pods whose containers ACI starts again (restartPolicy Always and OnFailure)'],
  },
  { id: 'init-once', sentence: 'init containers do not run again when a container is started again', refused: [] },
  {
    id: 'hosts-shared',
    sentence: 'what an init container adds to /etc/hosts is there in the other containers',
    refused: ['hostAliases', 'hostname', 'subdomain'],
  },
  {
    id: 'hosts-restart',
    sentence: 'and still there when a container is started again',
    refused: ['hostAliases, hostname and subdomain in pods whose containers ACI starts again'],
  },
  {
    id: 'secret-modes',
    sentence: 'modes and owners that an init container gives to files of a secret volume are those that the others see',
    refused: ['defaultMode', 'mode', 'fsGroup'],
  },
  {
    id: 'secret-memory',
    sentence: 'a secret volume is memory, and no disk',
    refused: ['Secrets that are renewed in running containers'],
  },
  {
    id: 'init-names',
    sentence: 'names resolve while init containers run',
    refused: ['AGENT_DOWNLOAD'],
  },
  {
    id: 'init-app',
    sentence: 'the app is reached while init containers run, over a TLS that the wget of AGENT_DOWNLOAD_IMAGE has',
    refused: ['AGENT_DOWNLOAD'],
  },
  {
    id: 'main-app',
    sentence: 'the app is reached from the containers',
    refused: ['reports of the agent, and what waits for them'],
  },
  {
    id: 'address-inside',
    sentence: "the address of a container's interface is that of its group",
    refused: ['status.podIP in the environment'],
  },
  {
    id: 'capabilities',
    sentence: 'root in a container may change users, owners and its own capabilities',
    refused: ['runAsUser', 'runAsGroup', 'supplementalGroups', 'fsGroup', 'capabilities'],
  },
  {
    id: 'memory-events',
    sentence: 'a container can read when its memory was used up',
    refused: ['the reason OOMKilled'],
  },
  { id: 'processes-apart', sentence: 'containers of a group do not see each other’s processes', refused: [] },
  {
    id: 'network-shared',
    sentence: 'containers of a group share 127.0.0.1',
    refused: ['port-forward by the agent', 'probes to another container’s port'],
  },
  { id: 'stop-signal', sentence: 'a stop sends SIGTERM and waits', refused: [] },
  { id: 'logs-after-stop', sentence: 'the log of a container can be read after a stop', refused: [] },
  { id: 'failed-again', sentence: 'a container that failed is started again after 10 s', refused: [] },
  {
    id: 'exec-word',
    sentence: 'exec starts a program by one word, with a terminal',
    refused: ['deletion with a grace', 'exec with an exit code', 'port-forward', 'renewed volumes'],
  },
  { id: 'exec-words', sentence: 'exec takes several words apart at blanks', refused: [] },
  { id: 'secret-size', sentence: 'a secret volume takes a whole Secret, 1 MiB', refused: [] },
  { id: 'liveness-restart', sentence: 'a restart by a liveness probe is like one after a failure', refused: [] },
] as const satisfies readonly Assumption[];

export type AssumptionId = (typeof assumptions)[number]['id'];

export const isAssumptionId = (text: string): text is AssumptionId => assumptions.some(({ id }) => id === text);

/** What a probe found of one of them. */
export interface Finding {
  readonly id: AssumptionId;
  readonly outcome: 'holds' | 'fails' | 'unmeasured';
  /** What was seen, or why nothing was; one line. */
  readonly detail: string;
}
