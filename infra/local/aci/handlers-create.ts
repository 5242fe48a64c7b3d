import { randomUUID } from 'node:crypto';
import { checkLabel } from './dns-label.ts';
import { aci, frontDoor, isFault } from './errors.ts';
import type { ArmFault } from './errors.ts';
import { initialStatus, isTerminated, isTransitioning } from './group-state.ts';
import type { GroupEntry } from './group-store.ts';
import { renderGroup } from './group-view.ts';
import { parseJson } from './json.ts';
import { GroupLife } from './life.ts';
import { checkIdentities, checkLinked } from './linked.ts';
import { operationHeaders } from './operation-url.ts';
import { checkQuota } from './quota.ts';
import { groupId } from './routes.ts';
import { sleep } from './clock.ts';
import { credentialsOf, shortageOf } from './specs.ts';
import { normalizeLocation, reply } from './state.ts';
import type { ArmCall, EmulatorState, HandlerAnswer } from './state.ts';
import { parseGroupBody } from './group-body.ts';
import { validateGroup } from './validation.ts';
import { requestedCpu, requestedMemoryInGB, restartPolicyOf } from './wire.ts';
import type { GroupBody } from './wire.ts';

interface Wanted {
  readonly id: string;
  readonly subscription: string;
  readonly name: string;
  readonly resourceGroup: string;
  readonly body: GroupBody;
  readonly location: string;
  readonly region: string;
  readonly incarnation: string;
}

/** PUT: judges the body, then answers 201 `Pending` at once; the same body sent twice restarts the containers. */
export async function createGroup(state: EmulatorState, call: ArmCall): Promise<HandlerAnswer> {
  const wanted = readWanted(state, call);
  if (isFault(wanted)) return wanted;
  const refusal =
    validate(state, wanted) ??
    checkLinked(state, call, wanted) ??
    checkIdentities(state, wanted) ??
    checkExisting(state, wanted) ??
    checkRoom(state, call, wanted);
  if (refusal !== undefined) return refusal;
  const imageFault = await checkImages(state, wanted);
  // Time may have passed at the registry: whoever came first meanwhile has the name, of the group and in the DNS.
  const late = imageFault ?? checkExisting(state, wanted) ?? checkLabel(state, wanted);
  return late ?? deploy(state, call, wanted);
}

function readWanted(state: EmulatorState, call: ArmCall): Wanted | ArmFault {
  const text = call.request.body;
  const json = parseJson(text);
  if (json === undefined) return frontDoor.invalidContent('Unexpected character encountered while parsing value');
  const body = parseGroupBody(json.value, text.length);
  if (isFault(body)) return body;
  if (body.location === undefined || body.location === '') return frontDoor.locationRequired();
  const region = normalizeLocation(body.location);
  if (!state.locations.includes(region)) return frontDoor.locationNotAvailable(body.location, state.locations);
  const { rg = '', name = '' } = call.params;
  const resourceGroup = state.resourceGroups.get(rg.toLowerCase()) ?? rg;
  const id = groupId(state.subscriptionId, resourceGroup, name);
  const { subscriptionId: subscription } = state;
  const incarnation = state.store.find(id)?.incarnation ?? randomUUID();
  return { id, subscription, name, resourceGroup, body, location: body.location, region, incarnation };
}

function validate(state: EmulatorState, wanted: Wanted): ArmFault | undefined {
  const closed = state.options.subnets.filter((s) => !s.delegated).map((s) => s.id.toLowerCase());
  const regions = state.options.confidentialLocations?.map(normalizeLocation);
  return validateGroup({
    name: wanted.name,
    body: wanted.body,
    undelegatedSubnets: new Set(closed),
    confidential: regions?.includes(wanted.region) ?? true,
  });
}

function checkExisting(state: EmulatorState, wanted: Wanted): ArmFault | undefined {
  const existing = state.store.find(wanted.id);
  if (existing === undefined) return undefined;
  if (existing.region !== wanted.region) {
    const { name, resourceGroup, location } = wanted;
    return frontDoor.invalidResourceLocation(name, resourceGroup, existing.location, location);
  }
  if (isTransitioning(existing.status) || existing.halting) return aci.transitioning(wanted.name);
  if (state.options.terminatedGroupsAcceptAnyUpdate && isTerminated(existing.status)) return undefined;
  return fixedParts(existing.body) === fixedParts(wanted.body) ? undefined : aci.invalidUpdate(wanted.name);
}

/** What an update may not change. */
function fixedParts(body: GroupBody): string {
  const { osType, subnetIds = [] } = body.properties;
  const subnets = subnetIds.map((s) => s.id.toLowerCase());
  return JSON.stringify([osType, restartPolicyOf(body), subnets, requestedCpu(body), requestedMemoryInGB(body)]);
}

function checkRoom(state: EmulatorState, call: ArmCall, wanted: Wanted): ArmFault | undefined {
  const full = checkQuota(state.store.all(), wanted, state.store.find(wanted.id), state.options);
  if (full !== undefined || call.capacity !== 'sync') return full;
  return aci.capacity(shortageOf(wanted.body, wanted.location));
}

/** The synchronous question to the registry, for no longer than the knob says. */
async function checkImages(state: EmulatorState, wanted: Wanted): Promise<ArmFault | undefined> {
  if (state.options.imageFaultMode === 'async') return undefined;
  const { containers, initContainers = [] } = wanted.body.properties;
  const images = new Set([...initContainers, ...containers].map((c) => c.properties.image));
  const credentials = credentialsOf(wanted.body, state.options);
  const patience = new AbortController();
  const timeout = sleep(state.clock, state.options.imageCheckMs, patience.signal).then(() => undefined);
  const checks = [...images].map(async (image): Promise<ArmFault | undefined> => {
    const result = await state.runtime.pullImage(image, credentials);
    if (result.kind === 'pulled') return undefined;
    return result.reason === 'unavailable'
      ? aci.registryError(image.includes('/') ? (image.split('/')[0] ?? '') : 'index.docker.io')
      : aci.inaccessibleImage(image, wanted.name);
  });
  const results = Promise.all(checks).then((faults) => faults.find((f) => f !== undefined));
  const first = await Promise.race([results, timeout]);
  patience.abort();
  return first;
}

function deploy(state: EmulatorState, call: ArmCall, wanted: Wanted): HandlerAnswer {
  const existing = state.store.find(wanted.id);
  const entry = existing ?? newEntry(wanted);
  const predecessor = existing?.life;
  const { body } = wanted;
  const { containers, initContainers = [], ipAddress } = body.properties;
  entry.body = body;
  entry.location = wanted.location;
  entry.tags = body.tags;
  entry.status = initialStatus(
    initContainers.map((c) => c.name),
    containers.map((c) => c.name),
  );
  if (ipAddress?.dnsNameLabel !== undefined && state.options.labelledIpAtOnce)
    entry.ip ??= state.addresses.takePublic();
  if (existing === undefined) state.store.add(entry);
  state.monitor.begin();
  const operation = state.store.begin(entry, 'Pending');
  const capacity = call.capacity === 'sync' ? undefined : call.capacity;
  const life = new GroupLife(state.life, entry, { kind: 'create', operation, predecessor, capacity });
  entry.life = life;
  const answer = renderGroup(entry, 'full');
  life.begin();
  const status = existing === undefined ? 201 : state.options.updateStatus;
  return reply(status, answer, operationHeaders(state, call, operation));
}

function newEntry(wanted: Wanted): GroupEntry {
  return {
    id: wanted.id,
    subscription: wanted.subscription,
    incarnation: wanted.incarnation,
    resourceGroup: wanted.resourceGroup,
    name: wanted.name,
    region: wanted.region,
    location: wanted.location,
    tags: wanted.body.tags,
    body: wanted.body,
    status: initialStatus([], []),
    ip: undefined,
    life: undefined,
    halting: false,
    deleted: false,
  };
}
