import { sleep } from './clock.ts';
import { aci, frontDoor, isFault } from './errors.ts';
import type { ArmFault } from './errors.ts';
import { isTransitioning } from './group-state.ts';
import type { GroupEntry } from './group-store.ts';
import { renderGroup } from './group-view.ts';
import { parseJson } from './json.ts';
import type { Json } from './json.ts';
import { operationHeaders } from './operation-url.ts';
import { groupId } from './routes.ts';
import { inBackground, releaseGroup, reply } from './state.ts';
import type { ArmCall, EmulatorState, HandlerAnswer } from './state.ts';
import { checkTags } from './tags.ts';
import { tagsBody } from './wire.ts';

/** The group that a call's path names, or ARM's 404. */
export function findGroup(state: EmulatorState, call: ArmCall): GroupEntry | ArmFault {
  const { rg = '', name = '' } = call.params;
  const entry = state.store.find(groupId(state.subscriptionId, rg, name));
  return entry ?? frontDoor.resourceNotFound(name, rg, state.options.notFoundSuffix);
}

/** GET: the full body with instanceView. */
export function getGroup(state: EmulatorState, call: ArmCall): HandlerAnswer {
  const entry = findGroup(state, call);
  return isFault(entry) ? entry : reply(200, renderGroup(entry, 'full'));
}

/** LIST of the subscription: no instanceView at all. */
export function listGroups(state: EmulatorState, call: ArmCall): HandlerAnswer {
  return page(state, call, state.store.all());
}

export function listGroupsByResourceGroup(state: EmulatorState, call: ArmCall): HandlerAnswer {
  const wanted = (call.params['rg'] ?? '').toLowerCase();
  return page(
    state,
    call,
    state.store.all().filter((g) => g.resourceGroup.toLowerCase() === wanted),
  );
}

/** Pages go by the id after which the next one begins, so that a deletion between two pages skips nothing. */
function page(state: EmulatorState, call: ArmCall, groups: readonly GroupEntry[]): HandlerAnswer {
  const after = Buffer.from(call.query.get('$skiptoken') ?? '', 'base64url').toString();
  const ordered = groups.filter((g) => g.id > after).sort((a, b) => (a.id < b.id ? -1 : 1));
  const items = ordered.slice(0, state.options.pageSize);
  const value = items.map((g) => renderGroup(g, 'list'));
  const last = items.at(-1);
  if (last === undefined || ordered.length === items.length) return reply(200, { value });
  const next = new URL(call.request.url, call.request.origin);
  next.searchParams.set('$skiptoken', Buffer.from(last.id).toString('base64url'));
  return reply(200, { value, nextLink: next.href });
}

/** PATCH replaces the tags as a whole and looks at nothing else. */
export function patchGroup(state: EmulatorState, call: ArmCall): HandlerAnswer {
  const entry = findGroup(state, call);
  if (isFault(entry)) return entry;
  const json = parseJson(call.request.body);
  const parsed = tagsBody.safeParse(json?.value);
  if (!parsed.success) return frontDoor.invalidContent("Error converting value. Path 'tags', line 1, position 1.");
  const refusal = checkTags(parsed.data.tags);
  if (refusal !== undefined) return refusal;
  if (parsed.data.tags !== undefined) entry.tags = parsed.data.tags;
  return reply(200, renderGroup(entry, 'full'));
}

/** DELETE: 200 with the last body, 204 when absent, or 202 and a `Deleting` phase by the knob. */
export function deleteGroup(state: EmulatorState, call: ArmCall): HandlerAnswer {
  const entry = findGroup(state, call);
  if (isFault(entry)) return reply(204);
  if (entry.status.provisioningState === 'Deleting') return reply(202, undefined, {});
  if (state.options.deleteWhileTransitioning === 'conflict' && isTransitioning(entry.status))
    return aci.transitioning(entry.name);
  const last = renderGroup(entry, 'full');
  if (state.options.deleteMode === 'sync') {
    state.store.remove(entry);
    releaseGroup(state, entry);
    return reply(200, last);
  }
  return deleteLater(state, call, entry);
}

function deleteLater(state: EmulatorState, call: ArmCall, entry: GroupEntry): HandlerAnswer {
  const operation = state.store.begin(entry, 'Deleting');
  state.store.apply(entry, { kind: 'provisioning', state: 'Deleting' });
  releaseGroup(state, entry);
  const { timings } = state.options;
  inBackground(
    state,
    sleep(state.clock, state.life.draw(timings.deletingMs)).then(() => state.store.remove(entry)),
  );
  return reply(202, undefined, operationHeaders(state, call, operation));
}

/** The log of the container's present instance. */
export async function getLogs(state: EmulatorState, call: ArmCall): Promise<HandlerAnswer> {
  const entry = findGroup(state, call);
  if (isFault(entry)) return entry;
  const container = call.params['container'] ?? '';
  if (!entry.status.containers.has(container)) return aci.containerNotFound(container, entry.name);
  const hidden = entry.status.stopped && !state.options.logsAfterStop;
  const tail = Number(call.query.get('tail') ?? '');
  const content = hidden
    ? undefined
    : await entry.life?.readLogs(container, {
        timestamps: call.query.get('timestamps') === 'true',
        ...(Number.isInteger(tail) && tail > 0 ? { tail } : {}),
      });
  return content === undefined ? aci.logNotAvailable(container, entry.name) : reply(200, { content });
}

export function outboundEndpoints(state: EmulatorState, call: ArmCall): HandlerAnswer {
  const entry = findGroup(state, call);
  const none: Json = [];
  return isFault(entry) ? entry : reply(200, none);
}
