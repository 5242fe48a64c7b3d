import * as z from 'zod';
import { parseBothDials } from '../../../shared/wire/relay-protocol/session-dial.ts';
import { failed, good, skipped } from './check.ts';
import type { Check } from './check.ts';
import type { Part } from './observed.ts';

const running = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), namespace: z.string() }),
      status: z.object({
        containerStatuses: z.array(
          z.object({ name: z.string(), state: z.object({ running: z.object({}).optional() }) }),
        ),
      }),
    }),
  ),
});

/** A container that runs. */
export interface RunningContainer {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** The first that runs in a list of pods; undefined: none does. */
export function parseRunningContainer(json: unknown): RunningContainer | undefined {
  for (const { metadata, status } of running.safeParse(json).data?.items ?? []) {
    const container = status.containerStatuses.find(({ state }) => state.running !== undefined);
    if (container !== undefined)
      return { namespace: metadata.namespace, pod: metadata.name, container: container.name };
  }
  return undefined;
}

/** Whether ACI's sessions are reached by both who need it; `name` is without whose. */
export function judgeSessionDial(name: string, answer: Part<string>): readonly Check[] {
  const dials = answer.kind === 'read' ? parseBothDials(answer.value) : undefined;
  if (dials === undefined) {
    const why = answer.kind === 'read' ? 'The relay is of an older release.' : answer.reason;
    return [skipped(name, why)];
  }
  const { relay, app } = dials;
  return [
    relay.reached
      ? good(`${name}: relay`, "The relay reaches ACI's sessions: exec, attach and port-forward work.")
      : failed(`${name}: relay`, sentence(relay.message), 'kubectl exec, cp, attach and port-forward need this.'),
    app.reached
      ? good(`${name}: app`, "The app reaches ACI's sessions: words to agents arrive.")
      : failed(
          `${name}: app`,
          sentence(app.message),
          'Deletions with a grace, live volumes and the question of a silent agent need this; without it pods with the agent are stopped as those without.',
        ),
  ];
}

const sentence = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
