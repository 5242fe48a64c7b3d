import type { HttpClient, PipelineRequest, PipelineResponse } from '@azure/core-rest-pipeline';
import { createHttpHeaders } from '@azure/core-rest-pipeline';
import { createArmContainerGroups } from '../../../shared/adapters/arm/container-groups.ts';
import type { ContainerGroups } from '../../../shared/ports/container-groups.ts';
import { ok } from '../../../shared/core/fault.ts';
import type { BudgetObservation } from '../../../shared/ports/budgets.ts';
import type { Mutator } from '../mutator.ts';

/** An answer as it is on the wire. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export const armEndpoint = 'https://arm.example';

/** The real adapter and the SDK's pipeline over a transport in memory. */
export interface WiredGroups {
  readonly groups: ContainerGroups;
  readonly observations: readonly BudgetObservation[];
  readonly logged: readonly string[];
  /** Method and URL of each request. */
  readonly asked: readonly string[];
}

export function wireGroups(
  token: string,
  answer: (request: PipelineRequest) => WireAnswer | Promise<WireAnswer>,
): WiredGroups {
  const observations: BudgetObservation[] = [];
  const logged: string[] = [];
  const asked: string[] = [];
  const note = (message: string, fields?: object): void => void logged.push(JSON.stringify({ message, ...fields }));
  const httpClient: HttpClient = {
    sendRequest: async (request): Promise<PipelineResponse> => {
      asked.push(`${request.method} ${request.url}`);
      const { status, headers, body } = await answer(request);
      const bodyAsText = new TextDecoder().decode(body);
      return { request, status, headers: createHttpHeaders({ ...headers }), bodyAsText };
    },
  };
  const groups = createArmContainerGroups({
    subscriptionId: 's',
    resourceGroup: 'rg',
    location: 'westeurope',
    endpoint: armEndpoint,
    credential: { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) },
    budgets: { take: async () => ok(undefined), report: async (_, observation) => void observations.push(observation) },
    log: { info: note, warn: note },
    httpClient,
  });
  return { groups, observations, logged, asked };
}

const statuses = [
  100, 200, 201, 202, 204, 206, 301, 304, 307, 400, 401, 403, 404, 405, 408, 409, 410, 412, 418, 429, 431,
];
const errors = [500, 501, 502, 503, 504, 599, 0, 999];
const retryAfters = [
  '0',
  '1',
  '372',
  '-5',
  '1e308',
  '1e999',
  '99999999999',
  'Infinity',
  'NaN',
  '0x10',
  ' ',
  'soon',
  '',
];
const dates = [
  'Fri, 31 Dec 9999 23:59:59 GMT',
  'Mon, 23 Nov 2026 12:05:00 GMT',
  'Thu, 01 Jan 1970 00:00:00 GMT',
  '2026-11-23',
];
const counts = ['0', '1', '11999', '-1', '1.5', '1e5', '99999999999999999999999', 'NaN', '', '0x1', ' 7'];
const urls = [
  'https://arm.example/operations/1?t=1',
  'https://evil.example/operations/1',
  'http://arm.example/x',
  'https://arm.example:444/x',
  'https://arm.example@evil.example/',
  'https://evil.example#@arm.example',
  '//arm.example/x',
  'file:///etc/passwd',
  'javascript:1',
  ' ',
  `https://arm.example/${'x'.repeat(20_000)}`,
];
const meter = 'x-ms-ratelimit-remaining-subscription';
const headerValues: Readonly<Record<string, readonly string[]>> = {
  'retry-after': [...retryAfters, ...dates],
  'retry-after-ms': retryAfters,
  'x-ms-retry-after-ms': retryAfters,
  date: [...dates, 'x'],
  'azure-asyncoperation': urls,
  location: urls,
  [`${meter}-reads`]: counts,
  [`${meter}-writes`]: counts,
  [`${meter}-deletes`]: counts,
  [`${meter}-resource-requests-pt5m`]: counts,
  [`${meter}-resource-requests-pt1h`]: counts,
  'content-type': ['text/html', 'application/xml', 'application/json; charset=utf-16', ''],
};

/** Status, headers and body, each now and then. */
export function mutateAnswer(
  answer: { status: number; headers?: Readonly<Record<string, string>>; body: unknown },
  mutator: Mutator,
): WireAnswer {
  let { status } = answer;
  const headers: Record<string, string> = { 'content-type': 'application/json', ...answer.headers };
  const body = mutator.json('body', answer.body);
  mutator.step((dice) => {
    if (!dice.chance(0.35)) return 'status:kept';
    status = dice.pick(dice.chance(0.7) ? statuses : errors);
    return `status:${status}`;
  });
  mutator.step((dice) => {
    const names = Object.keys(headerValues).filter(() => dice.chance(0.12));
    for (const name of names) headers[name] = dice.pick(headerValues[name] ?? ['']);
    return `headers:${names.join('+')}`;
  });
  return { status, headers, body };
}
