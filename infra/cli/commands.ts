import type { Command } from './command.ts';

/** One command, loaded when it is called. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Command>;
}

/** All commands, in the order in which somebody needs them. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'attach',
    summary: 'show nodes in a cluster: chart, registration, and wait until they are Ready',
    load: async () => (await import('./attach/attach.ts')).attachCommand,
  },
];
