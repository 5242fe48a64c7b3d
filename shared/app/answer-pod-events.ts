import { mostBodyBytes } from '../wire/relay-protocol/bounds.ts';
import { featuresHeader, parseFeatures } from '../wire/relay-protocol/features.ts';
import { formatPodEventsAnswer } from '../wire/relay-protocol/pod-events-answer.ts';
import { parsePodEvents } from '../wire/relay-protocol/pod-events.ts';
import type { ClusterDeps, Deps } from './deps.ts';
import { handlePodEvents } from './handle-pod-events.ts';
import { problem } from './run-http.ts';
import type { Answer, IncomingRequest } from './run-http.ts';

/** `POST /api/clusters/{cluster}/pod-events`: 200 when all is done or planned, 415, 413, 400 for a bad request, 503 to post again. */
export async function answerPodEvents(
  deps: Deps,
  cluster: ClusterDeps,
  request: IncomingRequest,
  signal: AbortSignal,
): Promise<Answer> {
  const type = request.headers.get('content-type') ?? '';
  if (!/^application\/json\s*(;|$)/i.test(type))
    return problem(415, 'UnsupportedMediaType', 'send content-type: application/json');
  if (Number(request.headers.get('content-length') ?? 0) > mostBodyBytes) return tooLarge();
  const text = await request.text();
  if (Buffer.byteLength(text) > mostBodyBytes) return tooLarge();
  const events = parsePodEvents(text);
  if (!events.ok)
    return problem(400, 'BadRequest', 'the body does not fit; see "faults"', { fields: { faults: events.faults } });
  const features = parseFeatures(request.headers.get(featuresHeader) ?? undefined);
  const outcome = await handlePodEvents(deps, cluster, { ...events.value, features }, signal);
  if (outcome.kind === 'unavailable')
    return problem(503, 'ServiceUnavailable', outcome.message, { headers: { 'retry-after': '2' } });
  return { status: 200, jsonBody: formatPodEventsAnswer(outcome.answer, outcome.nowMs) };
}

const tooLarge = (): Answer =>
  problem(413, 'PayloadTooLarge', `at most ${mostBodyBytes} bytes; post fewer pods at a time`);
