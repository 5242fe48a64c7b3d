import { systemClock } from '../../../../shared/adapters/system-clock.ts';
import type { RelayConfig } from '../config.ts';
import { kubernetesClient } from '../kubernetes-client.ts';
import { drain } from './drain.ts';
import { createDrainApi } from './drain-api.ts';

export interface DrainCommand {
  readonly config: RelayConfig;
  readonly timeoutSeconds: number;
  readonly appRoleBinding: string | undefined;
  /** Takes lines of progress, without their ends. */
  readonly say: (line: string) => void;
}

export const drainExit = { done: 0, failed: 1, timedOut: 4 } as const;

/** Drains all nodes of a configuration and answers with the process's exit code. Never rejects. */
export async function runDrain({ config, timeoutSeconds, appRoleBinding, say }: DrainCommand): Promise<number> {
  const client = kubernetesClient(config);
  const outcome = await drain({
    api: createDrainApi(client, new AbortController().signal),
    nodes: config.nodes.map(({ name }) => name),
    installation: config.installation,
    appRoleBinding,
    timeoutMs: timeoutSeconds * 1000,
    say,
    clock: systemClock,
  });
  client.close();
  switch (outcome.kind) {
    case 'drained':
      say('done: nothing is left of these nodes');
      return drainExit.done;
    case 'timed out':
      say(`not done within ${timeoutSeconds} s, still there: ${outcome.remaining.join(', ')}`);
      return drainExit.timedOut;
    case 'failed':
      say(`failed: ${outcome.message}`);
      return drainExit.failed;
  }
}
