import { describeFault } from '../core/fault.ts';
import { mostReportBytes, parseReport } from '../wire/agent-protocol/report.ts';
import type { SignedReport } from '../wire/agent-protocol/report.ts';
import { again, answerSigned } from './answer-signed.ts';
import type { SignedCall, SignedRoute } from './answer-signed.ts';
import { hearReport } from './hear-report.ts';
import type { Heard } from './hear-report.ts';
import { problem } from './run-http.ts';
import type { Answer } from './run-http.ts';

/**
 * A pod of many containers that start, are probed and end at once; then one report a second, which no agent comes near: what
 * only counts on goes out once a minute.
 */
const perPod = { capacity: 200, refillPerSecond: 2 };

const route: SignedRoute<SignedReport> = {
  name: 'reports',
  parse: (text) => {
    const parsed = parseReport(text);
    return parsed.kind === 'report' ? parsed.report : undefined;
  },
  limits: { bodyBytes: mostReportBytes, perPod },
  handle: async (deps, node, report, signal) => answerOf(await hearReport(deps, node, report, signal)),
};

/**
 * `POST /api/pods/{uid}/reports` (infra/agent/README.md, Reports). 204: it is in the row, or something later is. 410: it is of
 * another PUT than the pod's group, so that the agent gives it up. Anything else as `answerSigned` says.
 */
export const answerPodReports = (call: SignedCall): Promise<Answer> => answerSigned(call, route);

function answerOf(heard: Heard): Answer {
  switch (heard.kind) {
    case 'heard':
      return { status: 204 };
    case 'of-another-group':
      return problem(410, 'Gone', 'the pod has another group by now');
    case 'unknown-pod':
      return again(404, 'PodNotFound', 'this app knows of no agent in a group of the pod, or not yet', 5);
    case 'unavailable':
      return again(503, 'ServiceUnavailable', describeFault(heard.fault), 2);
  }
}
