import { randomUUID } from 'node:crypto';
import { defined } from '../../../shared/core/defined.ts';
import { capacityMessage } from './errors.ts';
import type { EventText } from './group-state.ts';
import type { GroupEntry } from './group-store.ts';
import { isInSubnet } from './network/group-networks.ts';
import type { EmulatorOptions } from './options.ts';
import type { ContainerSpec, RegistryCredential, SandboxSpec, SandboxVolume } from './runtime/runtime.ts';
import { serverName } from './runtime/engine/reference.ts';
import { requestedCpu, requestedMemoryInGB } from './wire.ts';
import type { ContainerBody, GroupBody } from './wire.ts';

/** "GB" is read as 2³⁰ bytes: whether ACI means 10⁹ is nowhere stated, and the larger reading kills nothing wrongly. */
const bytesPerGB = 1024 ** 3;

/** Translates an ACI container into what a runtime starts. Init containers may use all that the group has. */
export function containerSpec(group: GroupBody, { name, properties: p }: ContainerBody): ContainerSpec {
  const { cpuLimit, memoryLimitInGB } = limitsOf(group, p.resources);
  return {
    name,
    image: p.image,
    ...(p.command === undefined || p.command.length === 0 ? {} : { command: p.command }),
    environment: Object.fromEntries(
      (p.environmentVariables ?? []).map((v) => [v.name, v.secureValue ?? v.value ?? '']),
    ),
    mounts: (p.volumeMounts ?? []).map((mount) => ({
      volume: mount.name,
      mountPath: mount.mountPath,
      readOnly: mount.readOnly ?? false,
    })),
    cpuLimit,
    memoryLimitBytes: Math.round(memoryLimitInGB * bytesPerGB),
  };
}

function limitsOf(
  group: GroupBody,
  resources: ContainerBody['properties']['resources'],
): { readonly cpuLimit: number; readonly memoryLimitInGB: number } {
  return {
    cpuLimit: resources?.limits?.cpu ?? resources?.requests?.cpu ?? requestedCpu(group),
    memoryLimitInGB: resources?.limits?.memoryInGB ?? resources?.requests?.memoryInGB ?? requestedMemoryInGB(group),
  };
}

/** The sandbox of one life of a group. `azureResolver`: what groups in a subnet ask that name no server. */
export function sandboxSpec(
  { name, body }: Pick<GroupEntry, 'name' | 'body'>,
  now: number,
  azureResolver: string | undefined,
): SandboxSpec {
  return {
    id: `${name}-${randomUUID().slice(0, 8)}`,
    // ACI names its hosts so; a pod's own hostname does not reach it.
    hostname: `SandboxHost-${Math.round(now)}`,
    ...defined({ dns: sandboxDns(body, azureResolver) }),
    volumes: sandboxVolumes(body),
  };
}

/** Undefined: what the runtime has. */
function sandboxDns(body: GroupBody, azureResolver?: string): SandboxSpec['dns'] {
  const { dnsConfig } = body.properties;
  if (dnsConfig === undefined && azureResolver !== undefined && isInSubnet(body))
    return { nameServers: [azureResolver], searchDomains: [], options: [] };
  if (dnsConfig === undefined) return undefined;
  const words = (line = ''): readonly string[] => line.split(/\s+/).filter((word) => word !== '');
  return {
    nameServers: dnsConfig.nameServers,
    searchDomains: words(dnsConfig.searchDomains),
    options: words(dnsConfig.options),
  };
}

function sandboxVolumes(group: GroupBody): readonly SandboxVolume[] {
  return (group.properties.volumes ?? []).map((v): SandboxVolume => {
    if (v.azureFile !== undefined)
      return { name: v.name, kind: 'share', share: `${v.azureFile.storageAccountName}/${v.azureFile.shareName}` };
    if (v.secret === undefined) return { name: v.name, kind: 'empty' };
    const files = Object.entries(v.secret).map(([file, text]) => [file, Buffer.from(text, 'base64')] as const);
    return { name: v.name, kind: 'files', files: Object.fromEntries(files) };
  });
}

/** One event for each volume whose contents the emulator cannot have. */
export function emulatedVolumes(group: GroupBody): readonly EventText[] {
  return (group.properties.volumes ?? []).flatMap((v) => {
    if (v.gitRepo === undefined) return [];
    const message = `The gitRepo volume '${v.name}' is mounted empty by the emulator.`;
    return [{ name: 'EmulatedVolume', message, type: 'Warning' } as const];
  });
}

/** What ACI says of a group that finds no room in its region. */
export function shortageOf(body: GroupBody, location: string): string {
  return capacityMessage({
    location,
    cpu: requestedCpu(body),
    memoryInGB: requestedMemoryInGB(body),
    osType: body.properties.osType ?? 'Linux',
    subnet: isInSubnet(body),
  });
}

/** A registry here knows no identities: the knob has the login that takes the place of one, for its server only. */
export function credentialsOf(
  group: GroupBody,
  { pullIdentities }: Pick<EmulatorOptions, 'pullIdentities'>,
): readonly RegistryCredential[] {
  const logins = new Map(Object.entries(pullIdentities).map(([id, login]) => [id.toLowerCase(), login]));
  return (group.properties.imageRegistryCredentials ?? []).flatMap(({ server, username, password, identity }) => {
    if (username !== undefined) return [{ server, username, password: password ?? '' }];
    const login = logins.get(identity?.toLowerCase() ?? '');
    return login === undefined || serverName(login.server) !== serverName(server) ? [] : [login];
  });
}
