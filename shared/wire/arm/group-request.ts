import type {
  GroupBody,
  GroupContainer,
  GroupExtension,
  GroupInitContainer,
  GroupProbe,
} from '../../core/group/group.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Equipment } from '../../core/pod/annotations/equipment.ts';
import { defined } from '../../core/defined.ts';

/** The body of a PUT as ARM reads it, api-version 2023-05-01 (docs/aci.md, Requests): what the group's model flattens goes under `properties`. */
export function formatGroup(body: GroupBody): JsonObject {
  const { location, tags, zones, identity, containers, initContainers, volumes, imageRegistryCredentials, ...rest } =
    body;
  const { subnetIds, dnsConfig, extensions, restartPolicy, ipAddress, ...others } = rest;
  return {
    location,
    tags,
    ...(zones === undefined ? {} : { zones: [...zones] }),
    ...(identity === undefined ? {} : { identity: { ...identity } }),
    properties: {
      osType: 'Linux',
      restartPolicy,
      containers: containers.map(formatContainer),
      ...(initContainers.length === 0 ? {} : { initContainers: initContainers.map(formatInitContainer) }),
      ...(imageRegistryCredentials.length === 0
        ? {}
        : { imageRegistryCredentials: imageRegistryCredentials.map((credential) => ({ ...credential })) }),
      ...(volumes.length === 0 ? {} : { volumes: volumes.map((volume) => ({ ...volume })) }),
      ...(ipAddress === undefined
        ? {}
        : { ipAddress: { ...ipAddress, ports: ipAddress.ports.map((port) => ({ ...port })) } }),
      ...(subnetIds === undefined ? {} : { subnetIds: subnetIds.map((subnet) => ({ ...subnet })) }),
      ...(dnsConfig === undefined ? {} : { dnsConfig: { ...dnsConfig, nameServers: [...dnsConfig.nameServers] } }),
      ...(extensions === undefined ? {} : { extensions: extensions.map(formatExtension) }),
      ...formatEquipment(others),
    },
  };
}

const formatExtension = ({ name, settings, protectedSettings, ...rest }: GroupExtension): JsonObject => ({
  name,
  properties: {
    ...rest,
    ...(settings === undefined ? {} : { settings: { ...settings } }),
    ...(protectedSettings === undefined ? {} : { protectedSettings: { ...protectedSettings } }),
  },
});

function formatEquipment(equipment: Omit<Equipment, 'identity'>): JsonObject {
  const { priority, sku, confidentialComputeProperties, encryptionProperties, diagnostics } = equipment;
  return {
    ...defined({ priority, sku }),
    ...(confidentialComputeProperties && { confidentialComputeProperties: { ...confidentialComputeProperties } }),
    ...(encryptionProperties && { encryptionProperties: { ...encryptionProperties } }),
    ...(diagnostics && { diagnostics: { logAnalytics: { ...diagnostics.logAnalytics } } }),
  };
}

function formatContainer(container: GroupContainer): JsonObject {
  const { requests, limits } = container.resources;
  return {
    name: container.name,
    properties: {
      ...commonProperties(container),
      ...(container.ports.length === 0 ? {} : { ports: container.ports.map((port) => ({ ...port })) }),
      ...(container.livenessProbe === undefined ? {} : { livenessProbe: formatProbe(container.livenessProbe) }),
      resources: { requests: { ...requests }, ...(limits === undefined ? {} : { limits: { ...limits } }) },
    },
  };
}

const formatProbe = ({ exec, httpGet, ...times }: GroupProbe): JsonObject => ({
  ...(exec === undefined ? {} : { exec: { command: [...exec.command] } }),
  ...(httpGet === undefined ? {} : { httpGet: { ...httpGet } }),
  ...times,
});

const formatInitContainer = (container: GroupInitContainer): JsonObject => ({
  name: container.name,
  properties: commonProperties(container),
});

function commonProperties(container: GroupInitContainer): JsonObject {
  const { command, environmentVariables, volumeMounts } = container;
  return {
    image: container.image,
    ...defined({ command }),
    ...(environmentVariables.length === 0
      ? {}
      : { environmentVariables: environmentVariables.map((variable) => ({ ...variable })) }),
    ...(volumeMounts.length === 0 ? {} : { volumeMounts: volumeMounts.map((mount) => ({ ...mount })) }),
  };
}
