import { VirtualClock } from '../../../infra/local/aci/clock.ts';
import { createCore } from '../../../infra/local/aci/core.ts';
import type { CoreOptions, EmulatorCore } from '../../../infra/local/aci/core.ts';
import { faultRuleSchema } from '../../../infra/local/aci/faults.ts';
import type { ArmResponse } from '../../../infra/local/aci/json.ts';
import type { EmulatorOptions } from '../../../infra/local/aci/options.ts';
import type { Principal } from '../../../infra/local/aci/rbac.ts';
import { ScriptedRuntime } from '../../../infra/local/aci/runtime/scripted.ts';
import type { ScriptedBehaviour, ScriptedRun } from '../../../infra/local/aci/runtime/scripted.ts';

export const subscription = '11111111-1111-4111-8111-111111111111';
export const origin = 'https://arm.test';
export const groupsPath = `/subscriptions/${subscription}/resourceGroups/rg/providers/Microsoft.ContainerInstance/containerGroups`;

/** What the tests read of an answer's body; every member may be absent on the wire. */
interface EventView {
  readonly count: number;
  readonly firstTimestamp: string;
  readonly name: string;
  readonly message: string;
  readonly type: string;
}
interface StateView {
  readonly state: string;
  readonly startTime: string;
  readonly exitCode: number;
  readonly finishTime: string;
  readonly detailStatus: string;
}
interface ContainerView {
  readonly name: string;
  readonly properties: {
    [key: string]: unknown;
    instanceView: {
      restartCount: number;
      currentState: StateView;
      previousState: StateView;
      events: EventView[];
    };
  };
}
interface Body {
  [key: string]: unknown;
  readonly error: { code: string; message: string };
  readonly value: Body[];
  readonly nextLink: string;
  readonly content: string;
  readonly status: string;
  readonly startTime: string;
  readonly id: string;
  readonly name: string;
  readonly identity: { principalId: string; tenantId: string; userAssignedIdentities: Record<string, unknown> };
  readonly properties: {
    [key: string]: unknown;
    provisioningState: string;
    containers: ContainerView[];
    initContainers: ContainerView[];
    ipAddress: { ip: string; fqdn: string; type: string };
    instanceView: { state: string; events: EventView[] };
    events: EventView[];
  };
}
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Body;
  readonly raw: ArmResponse;
}

interface RequestOptions {
  readonly body?: unknown;
  readonly version?: string;
  readonly headers?: Record<string, string>;
  readonly token?: string;
}

export interface Bench {
  readonly clock: VirtualClock;
  readonly runtime: ScriptedRuntime;
  readonly core: EmulatorCore;
  readonly token: string;
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>;
  put(name: string, group?: object): Promise<Answer>;
  get(name: string): Promise<Answer>;
  post(name: string, verb: 'stop' | 'start' | 'restart'): Promise<Answer>;
  delete(name: string): Promise<Answer>;
  poll(began: Answer): Promise<Answer>;
  /** PUT and time until it is provisioned. */
  running(name: string, group?: object): Promise<Answer>;
  container(name: string, container?: string): Promise<ContainerView['properties']['instanceView']>;
  fault(rule: object): void;
}

type BenchOptions = Partial<Omit<CoreOptions, 'knobs' | 'runtime' | 'clock'>> & {
  knobs?: Partial<EmulatorOptions>;
  images?: Record<string, ScriptedBehaviour>;
  addresses?: boolean;
};

const scope = `/subscriptions/${subscription}`;

/** May do anything in its groups and subnets: the app's own roles have only what the app does. */
const contributor: Principal = {
  clientId: '22222222-2222-4222-8222-222222222222',
  objectId: '33333333-3333-4333-8333-333333333333',
  assignments: [
    { actions: ['*'], scope: `${scope}/resourceGroups/rg` },
    { actions: ['*'], scope: `${scope}/resourceGroups/empty` },
    {
      actions: [
        '*/locations/*/read',
        '*/subscriptions/read',
        '*/subnets/join/action',
        '*/userAssignedIdentities/assign/action',
      ],
      scope,
    },
  ],
};

/** The emulator on a virtual clock, without sockets. Its principal is a contributor unless given. Timings as recorded, no jitter. */
export function createBench(options: BenchOptions = {}): Bench {
  const { knobs, images, addresses, ...rest } = options;
  const clock = new VirtualClock(Date.UTC(2026, 0, 1));
  const runtime = new ScriptedRuntime({ clock, images: images ?? {}, addresses: addresses ?? false });
  const core = createCore({
    subscriptionId: subscription,
    resourceGroups: ['rg', 'empty'],
    locations: ['West Europe', 'eastus'],
    principals: [contributor],
    ...rest,
    runtime,
    clock,
    knobs: { jitter: 0, ...knobs },
  });
  core.setArmUrls([origin]);
  const principal = core.state.principals[0];
  const token = principal === undefined ? '' : core.state.tokens.issue(principal, `${origin}/`).token;

  const request = async (method: string, path: string, o: RequestOptions = {}): Promise<Answer> => {
    const separator = path.includes('?') ? '&' : '?';
    const version = o.version ?? (path.includes('api-version') ? '' : '2023-05-01');
    const url = version === '' ? path : `${path}${separator}api-version=${version}`;
    const body = o.body === undefined ? '' : typeof o.body === 'string' ? o.body : JSON.stringify(o.body);
    const bearer = o.token ?? token;
    const headers = { ...(bearer === '' ? {} : { authorization: `Bearer ${bearer}` }), ...o.headers };
    const raw = await core.arm({ method, url, headers, body, origin });
    const wire = JSON.parse(JSON.stringify(raw.body ?? {})) as Body;
    return { status: raw.status, headers: raw.headers, body: wire, raw };
  };
  const at = (name: string): string => `${groupsPath}/${name}`;
  const bench: Bench = {
    clock,
    runtime,
    core,
    token,
    request,
    put: (name, group) => request('PUT', at(name), { body: group ?? groupBody() }),
    get: (name) => request('GET', at(name)),
    post: (name, verb) => request('POST', `${at(name)}/${verb}`),
    delete: (name) => request('DELETE', at(name)),
    poll: (began) => request('GET', (began.headers['Azure-AsyncOperation'] ?? '').replace(origin, '')),
    running: async (name, group) => {
      const answer = await bench.put(name, group);
      await clock.advance(16_000);
      return answer;
    },
    container: async (name, container = 'c') => {
      const { properties } = (await bench.get(name)).body;
      const all = [...properties.containers, ...properties.initContainers];
      const found = all.find((c) => c.name === container);
      if (found === undefined) throw new Error(`no container ${container}`);
      return found.properties.instanceView;
    },
    fault: (rule) => core.state.faults.add(faultRuleSchema.parse(rule)),
  };
  return bench;
}

/** A container of the group; `runs` is its behaviour. */
export function containerBody(name: string, properties: object = {}, runs?: ScriptedRun[]): object {
  const script = runs === undefined ? {} : { command: ['script', JSON.stringify({ runs })] };
  const resources = { requests: { cpu: 1, memoryInGB: 1.5 } };
  return { name, properties: { image: 'alpine:3', resources, ...script, ...properties } };
}

/** A group of one container `c` unless given. */
export function groupBody(properties: object = {}, envelope: object = {}): object {
  return {
    location: 'West Europe',
    tags: { podUid: 'u1' },
    ...envelope,
    properties: { osType: 'Linux', restartPolicy: 'Never', containers: [containerBody('c')], ...properties },
  };
}

/** A group of one scripted container under a policy. */
export function scripted(
  restartPolicy: 'Always' | 'OnFailure' | 'Never',
  runs: ScriptedRun[],
  rest: object = {},
): object {
  return groupBody({ restartPolicy, containers: [containerBody('c', {}, runs)], ...rest });
}
