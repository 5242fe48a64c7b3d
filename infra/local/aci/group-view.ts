import { fullNameOf } from './dns-label.ts';
import { lifecycleState } from './group-state.ts';
import type { ContainerState, ContainerStatus, EventRecord } from './group-state.ts';
import type { GroupEntry } from './group-store.ts';
import { stableGuid } from './guid.ts';
import type { Json } from './json.ts';
import type { ContainerBody, GroupProperties } from './wire.ts';

/** The service's own policy changes with its releases; this one stands for it. */
const serviceCcePolicy = Buffer.from('package policy\n# Filled in by the service.\n').toString('base64');

/**
 * A group as ARM shows it (docs/aci.md, Requests): defaults added, secrets never. `list` leaves out every instanceView.
 * The order of the keys is the recorded one.
 */
export function renderGroup(entry: GroupEntry, form: 'full' | 'list'): Json {
  const { body } = entry;
  return {
    properties: renderProperties(entry, form),
    identity: renderIdentity(entry),
    id: entry.id,
    name: entry.name,
    type: 'Microsoft.ContainerInstance/containerGroups',
    location: entry.location,
    zones: body.zones,
    tags: entry.tags,
  };
}

function renderProperties(entry: GroupEntry, form: 'full' | 'list'): Json {
  const p = entry.body.properties;
  const { status } = entry;
  // A PUT's answer has no instanceView in its containers, nor has a stopped group (both recorded).
  const detailed = form === 'full' && !status.stopped && status.provisioningState !== 'Pending';
  const render = (c: ContainerBody): Json => renderContainer(c, detailed ? status.containers.get(c.name) : undefined);
  return {
    sku: p.sku ?? 'Standard',
    provisioningState: status.provisioningState,
    provisioningTimeoutInSeconds: 1800,
    isCustomProvisioningTimeout: false,
    containers: p.containers.map((c) => render(c)),
    initContainers: (p.initContainers ?? []).map((c) => render(c)),
    imageRegistryCredentials: p.imageRegistryCredentials?.map(({ password: _password, ...visible }) => visible),
    restartPolicy: p.restartPolicy,
    ipAddress: renderAddress(entry, p),
    osType: p.osType,
    volumes: renderVolumes(p),
    instanceView: form === 'full' ? { events: renderEvents(status.events), state: lifecycleState(status) } : undefined,
    diagnostics: renderDiagnostics(p),
    subnetIds: p.subnetIds,
    dnsConfig: p.dnsConfig,
    extensions: renderExtensions(p),
    priority: p.priority,
    encryptionProperties: p.encryptionProperties,
    confidentialComputeProperties: renderConfidential(p),
  };
}

function renderContainer({ name, properties: p }: ContainerBody, status: ContainerStatus | undefined): Json {
  return {
    name,
    properties: {
      image: p.image,
      command: p.command,
      ports: (p.ports ?? []).map(renderPort),
      environmentVariables: (p.environmentVariables ?? []).map((v) => ({
        name: v.name,
        value: v.secureValue === undefined ? v.value : undefined,
      })),
      instanceView: status === undefined ? undefined : renderInstance(status),
      resources: p.resources,
      volumeMounts: p.volumeMounts,
      livenessProbe: p.livenessProbe,
      readinessProbe: p.readinessProbe,
      securityContext: p.securityContext,
    },
  };
}

function renderPort(port: { readonly protocol?: string | undefined; readonly port: number }): Json {
  return { protocol: port.protocol ?? 'TCP', port: port.port };
}

function renderInstance(status: ContainerStatus): Json {
  return {
    restartCount: status.restartCount,
    currentState: renderState(status.currentState),
    previousState: status.previousState === undefined ? undefined : renderState(status.previousState),
    events: status.events.length === 0 ? undefined : renderEvents(status.events),
  };
}

function renderState(state: ContainerState): Json {
  switch (state.state) {
    case 'Waiting':
      return { state: state.state, detailStatus: state.detailStatus };
    case 'Running':
      return { state: state.state, startTime: instant(state.startTime), detailStatus: state.detailStatus };
    default:
      return {
        state: state.state,
        startTime: state.startTime === undefined ? undefined : instant(state.startTime),
        exitCode: state.exitCode,
        finishTime: instant(state.finishTime),
        detailStatus: state.detailStatus,
      };
  }
}

/** Events with the service's second resolution. */
export function renderEvents(events: readonly EventRecord[]): Json {
  return events.map((e) => ({
    count: e.count,
    firstTimestamp: second(e.firstTimestamp),
    lastTimestamp: second(e.lastTimestamp),
    name: e.name,
    message: e.message,
    type: e.type,
  }));
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}

function second(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

function renderAddress(entry: GroupEntry, p: GroupProperties): Json | undefined {
  const address = p.ipAddress;
  // The address of a private group is absent, not empty, until it is known (recorded).
  if (address === undefined || (address.type === 'Private' && entry.ip === undefined)) return undefined;
  return {
    ports: (address.ports ?? []).map(renderPort),
    ip: entry.ip,
    type: address.type,
    dnsNameLabel: address.dnsNameLabel,
    autoGeneratedDomainNameLabelScope: address.autoGeneratedDomainNameLabelScope,
    fqdn: fullNameOf(entry),
  };
}

function renderDiagnostics({ diagnostics }: GroupProperties): Json | undefined {
  const analytics = diagnostics?.logAnalytics;
  if (analytics === undefined) return diagnostics === undefined ? undefined : {};
  const { workspaceKey: _workspaceKey, ...visible } = analytics;
  return { logAnalytics: visible };
}

/** What is protected is there to be written only. */
function renderExtensions({ extensions }: GroupProperties): Json | undefined {
  return extensions?.map(({ name, properties: p = {} }) => ({
    name,
    properties: { extensionType: p.extensionType, version: p.version, settings: p.settings },
  }));
}

function renderConfidential({ sku, confidentialComputeProperties: own }: GroupProperties): Json | undefined {
  if (sku !== 'Confidential') return own;
  return { ccePolicy: own?.ccePolicy ?? serviceCcePolicy };
}

function renderVolumes(p: GroupProperties): Json | undefined {
  return p.volumes?.map((v) => ({
    name: v.name,
    emptyDir: v.emptyDir === undefined ? undefined : {},
    secret: v.secret === undefined ? undefined : {},
    gitRepo: v.gitRepo,
    azureFile:
      v.azureFile === undefined
        ? undefined
        : {
            shareName: v.azureFile.shareName,
            readOnly: v.azureFile.readOnly,
            storageAccountName: v.azureFile.storageAccountName,
          },
  }));
}

function renderIdentity(entry: GroupEntry): Json | undefined {
  const { identity } = entry.body;
  if (identity === undefined) return undefined;
  const users = Object.keys(identity.userAssignedIdentities ?? {}).map((id) => {
    const ids: Json = { principalId: stableGuid(`principal ${id}`), clientId: stableGuid(`client ${id}`) };
    return [id, ids] as const;
  });
  const system = identity.type.includes('SystemAssigned');
  return {
    principalId: system ? stableGuid(`principal ${entry.id}`) : undefined,
    tenantId: system ? stableGuid('tenant') : undefined,
    type: identity.type,
    userAssignedIdentities: users.length === 0 ? undefined : Object.fromEntries(users),
  };
}
