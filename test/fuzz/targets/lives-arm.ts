import type { PipelineRequest } from '@azure/core-rest-pipeline';
import type { MemoryContainerGroups } from '../../../infra/local/sim/memory-container-groups.ts';
import type { Fault, Result } from '../../../shared/core/fault.ts';
import type { GroupBody, GroupObservation, ListedGroup } from '../../../shared/core/group/group.ts';
import type { ContainerGroups } from '../../../shared/ports/container-groups.ts';
import type { Mutator } from '../mutator.ts';
import type { WireAnswer } from './arm-wire.ts';
import { armEndpoint, mutateAnswer, wireGroups } from './arm-wire.ts';
import { garbageOf } from './garbage.ts';
import type { Meddler } from './lives.ts';

interface Truth {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** Members without which the body says nothing. */
  readonly vital: readonly string[];
}

const { signal } = new AbortController();

/** The groups of a world behind the real adapter; what ARM would answer goes through `meddler` first. */
export function armOver(memory: MemoryContainerGroups, meddler: Meddler, mutator: Mutator): ContainerGroups {
  const bodies = new Map<string, GroupBody>();
  const { groups } = wireGroups('token-of-arm', async (request) => {
    const how = meddler.next();
    if (how === 'lost before') throw new Error('ECONNRESET');
    const truth = await answerOf(memory, bodies, request);
    if (how === 'lost after') throw new Error('ECONNRESET');
    return how === 'true' ? plain(truth) : meddled(truth, how, mutator);
  });
  return {
    ...groups,
    createOrUpdate: (name, body, until) => {
      bodies.set(name, body);
      return groups.createOrUpdate(name, body, until);
    },
  };
}

const plain = ({ status, headers = {}, body }: Truth): WireAnswer => ({
  status,
  headers,
  body: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
});

/** Those of a client's mistake say nothing without a body that does. */
const unsure = [400, 404, 404, 404, 404, 404, 404, 404, 404, 409, 412, 500, 502, 503, 504, 408, 301, 202, 418, 599];

function meddled(truth: Truth, how: 'garbage' | 'mutated', mutator: Mutator): WireAnswer {
  let answer = plain(truth);
  if (how === 'mutated') {
    mutator.step(() => ((answer = mutateAnswer({ ...truth, body: truth.body ?? '' }, mutator)), 'arm:mutated'));
    return answer;
  }
  mutator.step((dice) => {
    const { body, did } = garbageOf(truth.body ?? null, truth.vital, dice);
    // A stop or a DELETE speaks by its status alone, whatever the body.
    const isMute = truth.vital.length === 0 && truth.status < 300;
    const status = isMute || dice.chance(0.5) ? dice.pick(unsure.filter((one) => one !== 202)) : truth.status;
    answer = { status, headers: {}, body };
    return `arm:${did} ${truth.status}→${status}`;
  });
  return answer;
}

async function answerOf(
  memory: MemoryContainerGroups,
  bodies: ReadonlyMap<string, GroupBody>,
  request: PipelineRequest,
): Promise<Truth> {
  const path = decodeURIComponent(new URL(request.url).pathname);
  const [, name = '', below = ''] = /\/containerGroups\/?([^/]*)\/?(.*)$/.exec(path) ?? [];
  if (path.endsWith('/usages')) return { status: 200, body: { value: [] }, vital: ['value'] };
  if (path.startsWith('/operations/')) {
    const report = await memory.getOperation(`https://arm.memory${path}`, signal);
    return answered(report, (value) => ({ status: 200, body: value, vital: ['status'] }));
  }
  if (name === '') {
    const listed = await memory.list(signal);
    return answered(listed, (groups) => ({
      status: 200,
      body: { value: groups.map(listedJson) },
      vital: ['value', 'value[].name', 'value[].properties'],
    }));
  }
  return answerOne(memory, { name, below, method: request.method, body: bodies.get(name) });
}

interface One {
  readonly name: string;
  readonly below: string;
  readonly method: string;
  readonly body: GroupBody | undefined;
}

async function answerOne(memory: MemoryContainerGroups, { name, below, method, body }: One): Promise<Truth> {
  if (below === 'stop')
    return answered(await memory.stop(name, signal), () => ({ status: 204, body: undefined, vital: [] }));
  if (below.endsWith('/logs')) return { status: 200, body: { content: '' }, vital: ['content'] };
  if (method === 'DELETE')
    return answered(await memory.delete(name, signal), (how) => ({
      status: how === 'absent' ? 204 : 200,
      body: undefined,
      vital: [],
    }));
  if (method === 'PUT' && body !== undefined) {
    const put = await memory.createOrUpdate(name, body, signal);
    const headers = { 'azure-asyncoperation': `${armEndpoint}/operations/${name}` };
    return answered(put, () => ({
      status: 201,
      headers,
      body: { id: `/subscriptions/s/${name}`, name },
      vital: ['id'],
    }));
  }
  const seen = await memory.get(name, signal);
  return answered(seen, (group) => ({
    status: 200,
    body: groupJson(group),
    vital: ['name', 'properties', 'properties.containers'],
  }));
}

const answered = <T>(result: Result<T>, answer: (value: T) => Truth): Truth =>
  result.ok ? answer(result.value) : refusal(result.fault);

function refusal(fault: Fault): Truth {
  const code = 'code' in fault ? fault.code : 'InternalServerError';
  const statuses = {
    'not-found': 404,
    conflict: 409,
    capacity: 409,
    throttled: 429,
    denied: 403,
    rejected: 400,
    transient: 500,
  };
  return {
    status: statuses[fault.kind],
    body: { error: { code, message: fault.message } },
    vital: ['error', 'error.code'],
  };
}

const listedJson = ({ name, tags, provisioningState, cpu }: ListedGroup): object => ({
  name,
  tags,
  properties: { provisioningState, containers: [{ properties: { resources: { requests: { cpu } } } }] },
});

const groupJson = ({
  name,
  tags,
  state,
  events,
  containers,
  initContainers,
  ip,
  ...rest
}: GroupObservation): object => ({
  id: `/subscriptions/s/${name}`,
  name,
  tags,
  properties: {
    ...rest,
    instanceView: { state, events },
    ...(ip === undefined ? {} : { ipAddress: { ip } }),
    containers: containers.map(({ name: container, ...properties }) => ({ name: container, properties })),
    initContainers: initContainers.map(({ name: container, ...properties }) => ({ name: container, properties })),
  },
});
