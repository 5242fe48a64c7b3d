import * as z from 'zod';
import { defined } from '../../core/defined.ts';
import { parseJson } from '../json-text.ts';
import { clampTickMs } from './bounds.ts';
import { metricsAnswer } from './group-metrics.ts';
import type { MetricsAnswer } from './group-metrics.ts';

/** The app's word that all of a post is done, or durably planned. */
export interface PodEventsAnswer {
  /** How long the relay may wait for the next tick, in ms. */
  readonly nextTickInMs: number;
  /** Of the nodes in the post those that are not registered. */
  readonly unknownNodes: readonly string[];
  /** Being taken out of the cluster for good: their Leases may end. */
  readonly removedNodes: readonly string[];
  /** What Azure Monitor said of the pods that were asked for; absent: the app is older, and must not be asked. */
  readonly metrics?: MetricsAnswer;
}

const schema = z
  .object({
    now: z.iso.datetime(),
    nextTickAt: z.iso.datetime().optional(),
    /** Its name before 0.1; the relay and the app are not upgraded at the same moment. */
    nextLookAt: z.iso.datetime().optional(),
    unknownNodes: z.array(z.string()).default([]),
    removedNodes: z.array(z.string()).default([]),
    // What makes no sense is no reason to post the pods again.
    metrics: metricsAnswer.optional().catch(undefined),
  })
  .transform(({ nextTickAt, nextLookAt, ...rest }, context) => {
    const at = nextTickAt ?? nextLookAt;
    if (at !== undefined) return { ...rest, nextTickAt: at };
    context.addIssue('nextTickAt is missing');
    return z.NEVER;
  });

/**
 * The JSON body of the answer. Both times in it are by one clock, the app's (`nowMs`), so that nobody compares it with
 * the relay's.
 */
export const formatPodEventsAnswer = (
  { nextTickInMs, unknownNodes, removedNodes, metrics }: PodEventsAnswer,
  nowMs: number,
): z.input<typeof schema> => ({
  now: new Date(nowMs).toISOString(),
  nextTickAt: new Date(nowMs + nextTickInMs).toISOString(),
  nextLookAt: new Date(nowMs + nextTickInMs).toISOString(),
  unknownNodes: [...unknownNodes],
  removedNodes: [...removedNodes],
  ...defined({ metrics }),
});

/** Undefined: it is not the app's, but a proxy's page, say, and nobody took anything. */
export function parsePodEventsAnswer(body: string): PodEventsAnswer | undefined {
  const parsed = schema.safeParse(parseJson(body)).data;
  if (parsed === undefined) return undefined;
  const { now, nextTickAt, unknownNodes, removedNodes, metrics } = parsed;
  const nextTickInMs = clampTickMs(Date.parse(nextTickAt) - Date.parse(now));
  return { nextTickInMs, unknownNodes, removedNodes, ...defined({ metrics }) };
}
