import { z } from 'zod';
import { defined } from '../../../shared/core/defined.ts';
import { VirtualClock } from './clock.ts';
import type { EmulatorCore } from './core.ts';
import { execKnobs } from './exec/knobs.ts';
import { evictGroup } from './eviction.ts';
import { faultBodySchema } from './faults.ts';
import { lifecycleState } from './group-state.ts';
import type { GroupEntry } from './group-store.ts';
import { renderGroup } from './group-view.ts';
import { networkKnobs } from './network/knobs.ts';
import { parseJson } from './json.ts';
import type { ArmRequest, ArmResponse, Json } from './json.ts';

type AdminHandler = (core: EmulatorCore, body: unknown) => ArmResponse | Promise<ArmResponse>;

const clockBody = z.strictObject({ advanceMs: z.number().min(0) });
const killBody = z.strictObject({
  group: z.string(),
  container: z.string().optional(),
  exitCode: z.number().int().default(7147),
});
const evictBody = z.strictObject({
  group: z.string(),
  exitCode: z.number().int().min(1).default(7147),
  state: z.enum(['Failed', 'Stopped']).optional(),
});
const networkBody = networkKnobs.partial();
const execBody = execKnobs.partial();
const limitsBody = z.strictObject({ reset: z.literal(true) });

/** The admin door, outside ARM's paths and on a loopback port of its own. No authentication, no secrets. */
const routes: Readonly<Record<string, AdminHandler>> = {
  'GET /_emulator/faults': (core) => json(200, { rules: core.state.faults.all() }),
  'POST /_emulator/faults': (core, body) => addFaults(core, body),
  'DELETE /_emulator/faults': (core) => {
    core.state.faults.clear();
    return json(204);
  },
  'GET /_emulator/journal': (core) => json(200, { requests: core.state.journal.requests.all().map((r) => ({ ...r })) }),
  'GET /_emulator/actions': (core) =>
    json(200, { actions: [...core.state.journal.actions.values()].map((a) => ({ ...a })) }),
  'DELETE /_emulator/journal': (core) => {
    core.state.journal.requests.clear();
    return json(204);
  },
  'GET /_emulator/runs': (core) => json(200, { runs: core.state.journal.runs.all().map((r) => ({ ...r })) }),
  'DELETE /_emulator/runs': (core) => {
    core.state.journal.runs.clear();
    return json(204);
  },
  'GET /_emulator/groups': (core) => json(200, { groups: core.state.store.all().map(describeGroup) }),
  'POST /_emulator/kill': kill,
  'POST /_emulator/evict': evict,
  'POST /_emulator/tokens/revoke': (core) => {
    core.state.tokens.clear();
    return json(204);
  },
  'POST /_emulator/limits': (core, body) => {
    const parsed = limitsBody.safeParse(body);
    if (!parsed.success) return json(400, { message: z.prettifyError(parsed.error) });
    core.state.limits.reset();
    return json(204);
  },
  'POST /_emulator/reset': async (core) => {
    await core.reset();
    return json(204);
  },
  'GET /_emulator/network': (core) => json(200, { ...core.state.network.knobs }),
  'POST /_emulator/network': async (core, body) => {
    const parsed = networkBody.safeParse(body);
    if (!parsed.success) return json(400, { message: z.prettifyError(parsed.error) });
    await core.state.network.turn(defined(parsed.data));
    return json(200, { ...core.state.network.knobs });
  },
  'GET /_emulator/exec': (core) => json(200, { ...core.state.exec.knobs }),
  'POST /_emulator/exec': async (core, body) => {
    const parsed = execBody.safeParse(body);
    if (!parsed.success) return json(400, { message: z.prettifyError(parsed.error) });
    await core.state.exec.turn(defined(parsed.data));
    return json(200, { ...core.state.exec.knobs });
  },
  'GET /_emulator/clock': (core) => json(200, { kind: core.state.clock.kind, now: isoNow(core) }),
  'POST /_emulator/clock': advanceClock,
};

/** Answers one admin request: JSON in, JSON out; 400 names what is wrong. */
export async function answerAdmin(core: EmulatorCore, request: ArmRequest): Promise<ArmResponse> {
  const handler = routes[`${request.method} ${request.url.split('?')[0] ?? ''}`];
  if (handler === undefined) return json(404, { message: 'no such admin path', paths: Object.keys(routes) });
  const body = request.body === '' ? { value: {} } : parseJson(request.body);
  return body === undefined ? json(400, { message: 'the body is not JSON' }) : handler(core, body.value);
}

function addFaults(core: EmulatorCore, body: unknown): ArmResponse {
  const parsed = faultBodySchema.safeParse(body);
  if (!parsed.success) return json(400, { message: z.prettifyError(parsed.error) });
  const rules = Array.isArray(parsed.data) ? parsed.data : [parsed.data];
  try {
    for (const rule of rules) core.state.faults.add(rule);
  } catch (error) {
    return json(400, { message: error instanceof Error ? error.message : String(error) });
  }
  return json(201, { rules: core.state.faults.all() });
}

function findByName(core: EmulatorCore, group: string): GroupEntry | undefined {
  return core.state.store.all().find((g) => g.name === group || g.id.toLowerCase() === group.toLowerCase());
}

async function kill(core: EmulatorCore, body: unknown): Promise<ArmResponse> {
  const parsed = killBody.safeParse(body);
  if (!parsed.success) return json(400, { message: z.prettifyError(parsed.error) });
  const { group, container, exitCode } = parsed.data;
  const entry = findByName(core, group);
  if (entry?.life === undefined) return json(404, { message: `no container group ${group}` });
  await entry.life.kill(container, exitCode);
  return json(204);
}

async function evict(core: EmulatorCore, body: unknown): Promise<ArmResponse> {
  const parsed = evictBody.safeParse(body);
  if (!parsed.success) return json(400, { message: z.prettifyError(parsed.error) });
  const { group, exitCode, state = core.state.options.evictedState } = parsed.data;
  const entry = findByName(core, group);
  if (entry === undefined) return json(404, { message: `no container group ${group}` });
  const refusal = await evictGroup(core.state, entry, { exitCode, state });
  return refusal === undefined ? json(204) : json(409, { message: refusal });
}

async function advanceClock(core: EmulatorCore, body: unknown): Promise<ArmResponse> {
  const { clock } = core.state;
  const parsed = clockBody.safeParse(body);
  if (!parsed.success) return json(400, { message: z.prettifyError(parsed.error) });
  if (!(clock instanceof VirtualClock)) return json(409, { message: 'the clock is real' });
  await clock.advance(parsed.data.advanceMs);
  return json(200, { kind: clock.kind, now: isoNow(core) });
}

function isoNow(core: EmulatorCore): string {
  return new Date(core.state.clock.now()).toISOString();
}

/** All that is known of a group, also what ARM hides (views of a stopped group), but no secret. */
function describeGroup(entry: GroupEntry): Json {
  return {
    id: entry.id,
    name: entry.name,
    tags: entry.tags,
    provisioningState: entry.status.provisioningState,
    state: lifecycleState(entry.status),
    stopped: entry.status.stopped,
    halting: entry.halting,
    ip: entry.ip,
    containers: Object.fromEntries(
      [...entry.status.containers].map(([name, c]) => [
        name,
        {
          init: c.init,
          settled: c.settled,
          restartCount: c.restartCount,
          currentState: { ...c.currentState },
          previousState: c.previousState === undefined ? undefined : { ...c.previousState },
          events: c.events.map((e) => ({ ...e })),
        },
      ]),
    ),
    view: renderGroup(entry, 'full'),
  };
}

function json(status: number, body?: Json): ArmResponse {
  const headers = { 'Content-Type': 'application/json; charset=utf-8' };
  return body === undefined ? { status, headers: {} } : { status, headers, body };
}
