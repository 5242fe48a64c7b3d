import { answerContainerLogs } from './answer-container-logs.ts';
import { answerContainerStream } from './answer-container-stream.ts';
import { answerSessionDial } from './answer-session-dial.ts';
import type { ClusterDeps, Deps } from './deps.ts';
import { problem } from './run-http.ts';
import type { Answer, IncomingRequest } from './run-http.ts';

/** What the relay asks of one container: `GET …/logs`, `POST …/exec`, `…/attach`, `…/portforward`, `…/session-dial`; 404 for all else. */
export async function answerContainer(
  deps: Deps,
  cluster: ClusterDeps,
  request: IncomingRequest & { readonly method: string },
  signal: AbortSignal,
): Promise<Answer> {
  switch (`${request.method} ${request.params['part'] ?? ''}`) {
    case 'GET logs':
      return answerContainerLogs(deps, cluster, request, signal);
    case 'POST exec':
      return answerContainerStream(deps, cluster, request, { kind: 'exec', signal });
    case 'POST attach':
      return answerContainerStream(deps, cluster, request, { kind: 'attach', signal });
    case 'POST portforward':
      return answerContainerStream(deps, cluster, request, { kind: 'portforward', signal });
    case 'POST session-dial':
      return answerSessionDial(deps, cluster, request, signal);
    default:
      return problem(404, 'NotFound', 'a container has GET logs, POST exec, attach, portforward and session-dial');
  }
}
