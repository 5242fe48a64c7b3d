import { aci } from './errors.ts';
import { operationEvents } from './group-store.ts';
import { renderEvents } from './group-view.ts';
import type { Json } from './json.ts';
import { isSignatureIntact } from './operation-url.ts';
import { usageOf } from './quota.ts';
import { normalizeLocation, reply } from './state.ts';
import type { ArmCall, EmulatorState, HandlerAnswer } from './state.ts';

/** Names of the provider's operations that the emulator has. */
const operationNames: readonly string[] = [
  'containerGroups/read',
  'containerGroups/write',
  'containerGroups/delete',
  'containerGroups/restart/action',
  'containerGroups/stop/action',
  'containerGroups/start/action',
  'containerGroups/containers/logs/read',
  'containerGroups/outboundNetworkDependenciesEndpoints/read',
  'locations/operations/read',
  'locations/usages/read',
  'locations/capabilities/read',
  'locations/cachedImages/read',
  'operations/read',
];

/** The operation resource: always 200 while it is known; the reason of a failure is in its events, not in `error`. */
export function getOperation(state: EmulatorState, call: ArmCall): HandlerAnswer {
  const id = call.params['op'] ?? '';
  const operation = state.store.operation(id);
  const { operationRetentionMs } = state.options;
  if (operation === undefined || operation.startTime < state.clock.now() - operationRetentionMs)
    return aci.operationNotFound(id);
  if (!isSignatureIntact(state, call, operation)) return aci.operationNotFound(id);
  return reply(200, {
    id: operation.groupId,
    status: operation.status,
    // Seven fractional digits, as recorded.
    startTime: new Date(operation.startTime).toISOString().replace('Z', '0000Z'),
    properties: { events: renderEvents(operationEvents(operation)) },
  });
}

export function listOperations(): HandlerAnswer {
  const value = operationNames.map((operation) => ({
    name: `Microsoft.ContainerInstance/${operation}`,
    origin: 'User',
    display: { provider: 'Microsoft Container Instance', operation },
  }));
  return reply(200, { value });
}

export function listUsages(state: EmulatorState, call: ArmCall): HandlerAnswer {
  const region = normalizeLocation(call.params['loc'] ?? '');
  const usage = usageOf(state.store.all(), region);
  const base = `/subscriptions/${state.subscriptionId}/providers/Microsoft.ContainerInstance/locations/${region}/usages`;
  const row = (name: string, label: string, currentValue: number, limit: number): Json => ({
    id: `${base}/${name}`,
    unit: 'Count',
    currentValue,
    limit,
    name: { value: name, localizedValue: label },
  });
  const { containerGroups, standardCores } = state.options.quota;
  const value = [
    row('ContainerGroups', 'Container Groups', usage.groups, containerGroups),
    row('StandardCores', 'Standard Cores', usage.cores, standardCores),
    row('DedicatedContainerGroups', 'Dedicated Container Groups', 0, 0),
    row('DedicatedCores', 'Dedicated Cores', 0, 3000),
    row('StandardSpotCores', 'Standard Spot Cores', 0, 10),
  ];
  return reply(200, { value });
}

export function listCapabilities(_state: EmulatorState, call: ArmCall): HandlerAnswer {
  const location = normalizeLocation(call.params['loc'] ?? '').toUpperCase();
  const row = (osType: string, ipAddressType: string): Json => ({
    resourceType: 'containerGroups',
    osType,
    location,
    ipAddressType,
    gpu: 'None',
    capabilities: { maxMemoryInGB: 240, maxCpu: 31, maxGpuCount: 0 },
  });
  return reply(200, { value: [row('Linux', 'Public'), row('Linux', 'Private'), row('Windows', 'Public')] });
}

export function listCachedImages(): HandlerAnswer {
  return reply(200, { value: [{ osType: 'Linux', image: 'ubuntu:16.04' }] });
}

export function getResourceGroup(state: EmulatorState, call: ArmCall): HandlerAnswer {
  const rg = call.params['rg'] ?? '';
  const name = state.resourceGroups.get(rg.toLowerCase()) ?? rg;
  return reply(200, {
    id: `/subscriptions/${state.subscriptionId}/resourceGroups/${name}`,
    name,
    type: 'Microsoft.Resources/resourceGroups',
    location: state.locations[0],
    properties: { provisioningState: 'Succeeded' },
  });
}

export function getSubscription(state: EmulatorState): HandlerAnswer {
  const { subscriptionId } = state;
  return reply(200, { id: `/subscriptions/${subscriptionId}`, subscriptionId, state: 'Enabled' });
}
