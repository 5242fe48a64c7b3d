import type { Fault, Result } from '../../../shared/core/fault.ts';
import type { ContainerGroups } from '../../../shared/ports/container-groups.ts';
import { groupBody } from '../../contract/container-groups.suite.ts';
import type { Dice } from '../dice.ts';
import { Secrets } from '../secrets.ts';
import type { Case, CaseReport, Target } from '../target.ts';
import type { WireAnswer } from './arm-wire.ts';
import { armEndpoint, mutateAnswer, wireGroups } from './arm-wire.ts';

/** ARM's answers, one request each, into the real adapter: every one becomes a value or a fault, and garbage never good news. */
export const armAnswers: Target = {
  name: 'arm',
  share: 'answers',
  cases: 6_000,
  testCases: 250,
  open: async () => ({ run: playAnswer }),
};

type Method = keyof ContainerGroups;
const methods: readonly Method[] = [
  'list',
  'get',
  'get',
  'createOrUpdate',
  'delete',
  'stop',
  'listLogs',
  'listMetrics',
  'exec',
  'attach',
  'getOperation',
  'listUsages',
];

async function playAnswer(one: Case): Promise<CaseReport> {
  const { dice, mutator } = one;
  const secrets = new Secrets();
  const token = secrets.plant('token', '');
  const method = dice.pick(methods);
  const answer = mutateAnswer(dice.chance(0.75) ? goodAnswer(method, secrets) : errorAnswer(dice), mutator);
  one.show = () => `${method}\n${secrets.mask(JSON.stringify({ ...answer, body: answer.body.toString('utf8') }))}`;
  const wired = wireGroups(token, () => answer);
  const result = await call(wired.groups, method, secrets);
  const faults = [
    ...resultFaults(method, result, answer),
    ...wired.observations.flatMap(observationFaults),
    ...wired.asked.filter((asked) => !asked.includes(` ${armEndpoint}/`)).map((asked) => `the token goes to ${asked}`),
    ...secrets.findIn('the log', wired.logged.join('\n')),
    ...(result.ok ? [] : secrets.findIn('a fault', JSON.stringify(result))),
  ];
  return { outcome: result.ok ? `ok` : result.fault.kind, faults };
}

const { signal } = new AbortController();
const container = { group: 'g', container: 'main' };

function call(groups: ContainerGroups, method: Method, secrets: Secrets): Promise<Result<unknown>> {
  switch (method) {
    case 'list':
      return groups.list(signal);
    case 'get':
      return groups.get('g', signal);
    case 'createOrUpdate':
      return groups.createOrUpdate('g', bodyWith(secrets), signal);
    case 'delete':
      return groups.delete('g', signal);
    case 'stop':
      return groups.stop('g', signal);
    case 'listLogs':
      return groups.listLogs({ ...container, timestamps: true, tail: 5 }, signal);
    case 'exec':
      return groups.exec({ ...container, command: '/bin/sh', terminalSize: { columns: 80, rows: 24 } }, signal);
    case 'attach':
      return groups.attach(container, signal);
    case 'listMetrics':
      return groups.listMetrics('g', { fromMs: 0, toMs: 60_000 }, signal);
    case 'getOperation':
      return groups.getOperation(`${armEndpoint}/operations/1`, signal);
    case 'listUsages':
      return groups.listUsages(signal);
  }
}

function bodyWith(secrets: Secrets) {
  const body = groupBody('i');
  const variables = [{ name: 'S', secureValue: secrets.plant('secureValue', '') }];
  return { ...body, containers: body.containers.map((one) => ({ ...one, environmentVariables: variables })) };
}

/** Ten days: nobody is asked to wait for longer. */
const longestWaitMs = 864_000_000;

function resultFaults(method: Method, result: Result<unknown>, answer: WireAnswer): readonly string[] {
  if (!result.ok) return faultFaults(method, result.fault, answer);
  const isSuccess = answer.status >= 200 && answer.status < 300;
  const isAbsent = method === 'delete' && answer.status === 404;
  const body = bodyOf(answer);
  return [
    ...(isSuccess || isAbsent ? [] : [`${method} is ok after ${answer.status}`]),
    ...unreal(result.value).map((what) => `${method} gives ${what}`),
    ...valueFaults(method, result.value, body),
  ];
}

const areAmounts = (value: unknown): boolean =>
  value instanceof Map && [...value.values()].flat().every((one) => one.cpuMillicores >= 0 && one.memoryBytes >= 0);

/** What a read gives must be in the body, all of it. */
function valueFaults(method: Method, value: unknown, body: unknown): readonly string[] {
  const reported = (what: string, isTrue: boolean): readonly string[] => (isTrue ? [] : [`${method}: ${what}`]);
  switch (method) {
    case 'list':
      return reported(
        'a list that is not the whole of the body',
        Array.isArray(value) && lengthOf(body, 'value') === value.length,
      );
    case 'get':
      return reported(
        'a group without what ARM promises',
        hasMembers(body, ['name', 'properties']) && Array.isArray(member(member(body, 'properties'), 'containers')),
      );
    case 'listMetrics':
      return reported('an average that is no amount', areAmounts(value));
    case 'listLogs':
      return reported('a log that is no text', typeof value === 'string');
    case 'listUsages':
      return reported(
        'usages that are not the whole of the body',
        Array.isArray(value) && lengthOf(body, 'value') === value.length,
      );
    case 'createOrUpdate': {
      const url = member(value, 'operationUrl');
      return reported(
        'an operation on another host',
        url === undefined || (typeof url === 'string' && new URL(url).host === 'arm.example'),
      );
    }
    case 'exec':
    case 'attach': {
      const uri = member(value, 'webSocketUri');
      return reported(
        'a session that is not over TLS at a host',
        typeof uri === 'string' && /^wss:\/\/[^/?#]/i.test(uri.trim()),
      );
    }
    default:
      return [];
  }
}

function faultFaults(method: Method, fault: Fault, answer: WireAnswer): readonly string[] {
  const isRefusal = answer.status >= 400 && answer.status < 500;
  const said = [fault.message, 'code' in fault ? fault.code : ''];
  const reported = (what: string, isFault: boolean): readonly string[] => (isFault ? [what] : []);
  return [
    ...reported(
      `a fault of ${said.join('').length} characters`,
      said.some((text) => text.length > 600),
    ),
    ...reported(
      'a fault of several lines',
      said.some((text) => /\p{Cc}/u.test(text)),
    ),
    ...reported(
      `${answer.status} is read as absence`,
      fault.kind === 'not-found' && (answer.status !== 404 || method === 'createOrUpdate'),
    ),
    ...reported(
      `${answer.status} is read as ${fault.kind}`,
      ['rejected', 'capacity'].includes(fault.kind) && !isRefusal,
    ),
    ...(fault.kind === 'throttled'
      ? reported(`throttled for ${fault.retryAfterMs} ms`, !isWait(fault.retryAfterMs))
      : []),
  ];
}

const isWait = (ms: number): boolean => ms >= 0 && ms <= longestWaitMs;

const observationFaults = (observation: object): readonly string[] =>
  Object.entries(observation).flatMap(([name, value]) =>
    (name === 'accepted' ? value === true : typeof value === 'number' && value >= 0 && value <= longestWaitMs)
      ? []
      : [`the budgets are reported ${name} ${String(value)}`],
  );

/** NaN and Infinity anywhere in it. */
function unreal(value: unknown): readonly string[] {
  if (typeof value === 'number') return Number.isFinite(value) ? [] : [String(value)];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(unreal) : [];
}

function bodyOf(answer: WireAnswer): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(answer.body));
  } catch {
    return undefined;
  }
}

const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
const hasMembers = (value: unknown, names: readonly string[]): boolean =>
  names.every((name) => member(value, name) !== undefined);
const lengthOf = (value: unknown, name: string): number | undefined => {
  const list = member(value, name);
  return Array.isArray(list) ? list.length : undefined;
};

const event = (name: string, at: string) => ({
  count: 1,
  firstTimestamp: at,
  lastTimestamp: at,
  name,
  message: 'pulling image "alpine"',
  type: 'Normal',
});
const view = {
  restartCount: 1,
  currentState: { state: 'Running', startTime: '2023-05-05T00:15:52.212Z', detailStatus: '' },
  previousState: {
    state: 'Terminated',
    startTime: '2023-05-05T00:15:42Z',
    finishTime: '2023-05-05T00:15:50Z',
    exitCode: 3,
    detailStatus: 'Error',
  },
  events: [event('Pulling', '2023-05-05T00:15:37Z'), event('Started', '2023-05-05T00:15:52Z')],
};
const id = '/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerInstance/containerGroups/g';

/** As recorded (docs/aci.md). */
export const recordedGroup = {
  properties: {
    sku: 'Standard',
    provisioningState: 'Succeeded',
    provisioningTimeoutInSeconds: 1800,
    containers: [
      {
        name: 'main',
        properties: {
          image: 'alpine:latest',
          command: ['sh'],
          ports: [],
          environmentVariables: [{ name: 'KEY1', value: 'VALUE1' }],
          instanceView: view,
          resources: { requests: { memoryInGB: 1.0, cpu: 1.0 } },
        },
      },
    ],
    initContainers: [{ name: 'init', properties: { image: 'alpine', instanceView: view } }],
    restartPolicy: 'Never',
    osType: 'Linux',
    ipAddress: { ports: [{ port: 80, protocol: 'TCP' }], ip: '13.83.249.21', type: 'Public' },
    instanceView: { events: [event('Pulled', '2023-05-05T00:15:40Z')], state: 'Running' },
  },
  id,
  name: 'g',
  type: 'Microsoft.ContainerInstance/containerGroups',
  location: 'westus',
  tags: { 'kubernetes-pod-uid': 'u', a: 'b' },
};
const usage = (name: string) => ({
  id: `${id}/usages/${name}`,
  unit: 'Count',
  currentValue: 3,
  limit: 100,
  name: { value: name, localizedValue: name },
});

const metric = (name: string, unit: string) => ({
  id: `${id}/providers/Microsoft.Insights/metrics/${name}`,
  type: 'Microsoft.Insights/metrics',
  name: { value: name, localizedValue: name },
  unit,
  timeseries: [
    {
      metadatavalues: [{ name: { value: 'containername', localizedValue: 'containername' }, value: 'main' }],
      data: [{ timeStamp: '2026-11-23T12:00:00Z', average: 12.5 }, { timeStamp: '2026-11-23T12:01:00Z' }],
    },
  ],
  errorCode: 'Success',
});

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

function goodAnswer(method: Method, secrets: Secrets): Answer {
  switch (method) {
    case 'list':
      return { status: 200, body: { value: [recordedGroup, { ...recordedGroup, name: 'h' }] } };
    case 'get':
    case 'stop':
      return { status: method === 'get' ? 200 : 204, body: recordedGroup };
    case 'createOrUpdate':
      return {
        status: 201,
        headers: { 'azure-asyncoperation': `${armEndpoint}/operations/1?t=2&s=a%2Bb` },
        body: { ...recordedGroup, properties: { ...recordedGroup.properties, provisioningState: 'Pending' } },
      };
    case 'delete':
      return { status: 200, body: recordedGroup };
    case 'listLogs':
      return { status: 200, body: { content: `2026-11-23T12:00:00.1Z ${secrets.plant('output', '')}\n` } };
    case 'listMetrics':
      return { status: 200, body: { value: [metric('CpuUsage', 'Count'), metric('MemoryUsage', 'Bytes')] } };
    case 'exec':
    case 'attach':
      return {
        status: 200,
        body: {
          webSocketUri:
            'wss://a.westus.atlas.cloudapp.azure.com:19390/execstream/sessionId/1?api-version=1.0&rows=24&cols=80',
          password: secrets.plant('password', ''),
        },
      };
    case 'getOperation':
      return {
        status: 200,
        body: {
          id,
          status: 'Failed',
          startTime: '2023-05-05T00:15:33Z',
          properties: { events: view.events },
          error: { code: 'X', message: 'm' },
        },
      };
    case 'listUsages':
      return { status: 200, body: { value: [usage('ContainerGroups'), usage('StandardCores')] } };
  }
}

const known: readonly (readonly [number, string])[] = [
  [404, 'ResourceNotFound'],
  [404, 'ResourceGroupNotFound'],
  [409, 'ContainerGroupTransitioning'],
  [409, 'ContainerGroupQuotaReached'],
  [400, 'InaccessibleImage'],
  [400, 'InvalidContainerEnvironmentVariable'],
  [403, 'AuthorizationFailed'],
  [429, 'TooManyRequests'],
  [500, 'InternalServerError'],
  [503, 'ServiceUnavailable'],
];

function errorAnswer(dice: Dice): Answer {
  const [status, code] = dice.pick(known);
  const details = dice.chance(0.3) ? { details: [{ code: 'Inner', message: 'inner' }] } : {};
  return {
    status,
    headers: status === 429 ? { 'retry-after': '372' } : {},
    body: { error: { code, message: `The Resource 'g' says ${code}.\nAnd more.`, ...details } },
  };
}
