import { describeFault } from '../core/fault.ts';
import { formatFilesAnswer, mostRequestBytes, parseFilesRequest } from '../wire/agent-protocol/files.ts';
import type { FilesRequest } from '../wire/agent-protocol/files.ts';
import { again, answerSigned } from './answer-signed.ts';
import type { SignedCall, SignedRequest, SignedRoute } from './answer-signed.ts';
import { withLog } from './current-log.ts';
import { giveFiles } from './give-files.ts';
import type { GivenFiles } from './give-files.ts';
import { invocationLog } from './invocation-log.ts';
import type { InvocationLogger } from './invocation-log.ts';
import { loadDeps } from './load-deps.ts';
import { problem } from './run-http.ts';
import type { Answer } from './run-http.ts';

const deadlineMs = 20_000;

const route: SignedRoute<FilesRequest> = {
  name: 'files',
  parse: parseFilesRequest,
  limits: {
    bodyBytes: mostRequestBytes,
    // An agent asks when it is woken, and again every half minute at most; each time may issue tokens.
    perPod: { capacity: 20, refillPerSecond: 0.2 },
  },
  handle: async (deps, node, message, signal) => answer(await giveFiles(deps, node, message, signal)),
};

/** `POST /api/pods/{uid}/files`, by an agent that was woken for its volumes: those that changed, with their files. */
export function answerPodFiles(request: SignedRequest, context: InvocationLogger): Promise<Answer> {
  const log = invocationLog(context);
  return withLog(log, () => answerFilesCall({ request, log, load: loadDeps, deadlineMs }));
}

/** `answerPodFiles` with everything handed to it. */
export const answerFilesCall = (call: SignedCall): Promise<Answer> => answerSigned(call, route);

function answer(given: GivenFiles): Answer {
  switch (given.kind) {
    case 'given':
      return {
        status: 200,
        headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
        body: formatFilesAnswer(given.volumes),
      };
    case 'gone':
      return problem(410, 'Gone', 'the pod has ended, or its group was made anew since');
    case 'unknown':
      return again(404, 'GroupUnknown', 'this app does not know yet which group is the pod’s', 30);
    case 'unavailable':
      return again(503, 'ServiceUnavailable', describeFault(given.fault), 2);
  }
}
