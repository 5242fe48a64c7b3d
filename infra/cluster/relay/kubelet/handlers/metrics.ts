import type { NodeReading } from '../../../../../shared/core/resource-metrics/node-reading.ts';
import { prometheusContentType } from '../../../../../shared/core/resource-metrics/prometheus-text.ts';
import { resourceText } from '../../../../../shared/core/resource-metrics/resource-text.ts';
import { summaryOf } from '../../../../../shared/core/resource-metrics/summary.ts';
import { probeText } from '../../readiness/probe-counts.ts';
import { answerText } from '../call.ts';
import type { KubeletCall, KubeletContext, KubeletHandler } from '../call.ts';
import { forwardToLeader } from '../leader-forward.ts';
import type { Measures } from '../metrics-door.ts';

const notListed = 'the pods of this node are not listed yet';

/** What the leader answers by itself, and any other replica has it answer. */
const byTheLeader =
  (answer: (measures: Measures, context: KubeletContext, call: KubeletCall) => Promise<void> | void): KubeletHandler =>
  (context, call) => {
    const measures = context.metrics?.measures();
    if (measures !== undefined)
      return measures.isListed() ? answer(measures, context, call) : answerText(call.response, 503, notListed);
    const address = context.metrics?.leaderAddress();
    const { caller } = call;
    // A peer takes us for the leader: it will learn soon who is.
    if (address === undefined || caller.isPeer)
      return answerText(call.response, 503, 'no replica measures the pods now');
    return forwardToLeader(call, { address, port: caller.port, keys: caller.keys });
  };

const readNode = (answer: (reading: NodeReading, call: KubeletCall) => void): KubeletHandler =>
  byTheLeader(async ({ meter }, { node }, call) => {
    const reading = await meter.node(node)?.read();
    if (reading === undefined) answerText(call.response, 404, '404 page not found');
    else answer(reading, call);
  });

/** `GET /metrics/resource`: what metrics-server reads. */
export const resourceMetrics = readNode((reading, { response }) =>
  answerText(response, 200, resourceText(reading), { 'content-type': prometheusContentType }),
);

/** `GET /stats/summary`, with `only_cpu_and_memory=true` without what the network has carried. */
export const statsSummary = readNode((reading, { query, response }) => {
  const isBrief = query.get('only_cpu_and_memory') === 'true';
  const body = JSON.stringify(summaryOf(reading, isBrief));
  answerText(response, 200, body, { 'content-type': 'application/json' });
});

/** `GET /metrics/probes`: the readiness probes that the relay has made. */
export const probeMetrics = byTheLeader(({ probeCounts }, { node }, { response }) =>
  answerText(response, 200, probeText(probeCounts(node)), { 'content-type': prometheusContentType }),
);
