import type { Command } from './command.ts';

/** One command, loaded when it is called. */
export interface CommandEntry {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  load(): Promise<Command>;
}

/** All commands, in the order in which somebody needs them. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'attach',
    summary: 'show nodes in a cluster: chart, registration, and wait until they are Ready',
    load: async () => (await import('./attach/command.ts')).attachCommand,
  },
  {
    name: 'detach',
    summary: 'drain and remove nodes, and verify that nothing is left',
    load: async () => (await import('./detach/command.ts')).detachCommand,
  },
  {
    name: 'status',
    summary: 'nodes, pods, groups, budgets, and what needs attention',
    load: async () => (await import('./status/command.ts')).statusCommand,
  },
  {
    name: 'doctor',
    summary: 'checks everything one by one and says how to fix it',
    load: async () => (await import('./doctor/command.ts')).doctorCommand,
  },
  {
    name: 'explain',
    summary: 'what becomes of the pods of a manifest, and what is refused; needs no cluster',
    load: async () => (await import('./explain/command.ts')).explainCommand,
  },
  {
    name: 'cost',
    summary: 'what the pods used and what it costs, by namespace, owner or day',
    load: async () => (await import('./cost/command.ts')).costCommand,
  },
  {
    name: 'probe',
    summary: 'measures what is relied on of Container Instances, by a small group that is deleted again',
    load: async () => (await import('./probe/command.ts')).probeCommand,
  },
  {
    name: 'agent publish',
    summary: "put the agent's image into a registry, for pods that need it",
    load: async () => (await import('./agent/publish/command.ts')).publishCommand,
  },
  {
    name: 'agent status',
    summary: 'which agent there is, which the app gives to pods, and which pods have',
    load: async () => (await import('./agent/status/command.ts')).agentStatusCommand,
  },
  {
    name: 'agent rotate-key',
    summary: 'a new root for the keys of agents',
    load: async () => (await import('./agent/rotate-key/command.ts')).rotateKeyCommand,
  },
];
