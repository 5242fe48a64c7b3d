import { aci } from './errors.ts';
import type { ArmFault } from './errors.ts';
import { content, isBase64 } from './rule.ts';
import type { GroupContext, Rule } from './rule.ts';
import { extensionRules } from './validation-extensions.ts';
import { identityRules } from './validation-identity.ts';
import { kindRules } from './validation-kind.ts';
import { checkTags } from './tags.ts';
import { requestedCpu, requestedMemoryInGB } from './wire.ts';
import type { ContainerBody, GroupBody } from './wire.ts';

/** Hard limits of a container group (docs/aci.md, Limits of a group). */
const limits = {
  containers: 60,
  initContainers: 59,
  volumes: 20,
  portsPerIp: 5,
} as const;

const namePattern = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const environmentPattern = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;

/** The first rule that a parsed body breaks, or `undefined`. */
export function validateGroup(context: GroupContext): ArmFault | undefined {
  for (const rule of rules) {
    const fault = rule(context);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function everyContainer(body: GroupBody): readonly ContainerBody[] {
  return [...(body.properties.initContainers ?? []), ...body.properties.containers];
}

function firstDuplicate(values: readonly (string | number)[]): string | number | undefined {
  return values.find((value, index) => values.indexOf(value) !== index);
}

const groupName: Rule = ({ name }) =>
  namePattern.test(name)
    ? undefined
    : aci.invalid(
        'InvalidResourceName',
        `Resource name ${name} is invalid. The name must be 1 to 63 lower-case letters, digits or '-'.`,
      );

const osType: Rule = ({ body }) => {
  const value = body.properties.osType;
  if (value === 'Linux' || value === 'Windows') return undefined;
  const shown = value === undefined ? '<null>' : value;
  return aci.invalid(
    'InvalidOsType',
    `The 'osType' for container group '${shown}' is invalid. The value must be one of 'Windows,Linux'.`,
  );
};

const counts: Rule = ({ body }) => {
  const { containers, initContainers = [], volumes = [], ipAddress, osType: os } = body.properties;
  if (containers.length === 0) return content("The 'containers' of the container group cannot be empty.");
  if (containers.length + initContainers.length > limits.containers || initContainers.length > limits.initContainers)
    return content(`The number of containers exceeds the limit of '${limits.containers}'.`);
  if (volumes.length > limits.volumes)
    return content(`The number of volumes exceeds the limit of '${limits.volumes}'.`);
  if ((ipAddress?.ports?.length ?? 0) > limits.portsPerIp)
    return content(`The number of ports exceeds the limit of '${limits.portsPerIp}'.`);
  if (os === 'Windows' && containers.length > 1) return content('Multiple containers are not supported on Windows.');
  return undefined;
};

const containerNames: Rule = ({ body }) => {
  const names = everyContainer(body).map((c) => c.name);
  const bad = names.find((n) => !namePattern.test(n));
  if (bad !== undefined) return content(`The container name '${bad}' is invalid.`);
  const twice = firstDuplicate(names);
  return twice === undefined ? undefined : content(`The container name '${twice}' is used more than once.`);
};

const ports: Rule = ({ body }) => {
  const all = body.properties.containers.flatMap((c) => c.properties.ports ?? []);
  const bad = [...all, ...(body.properties.ipAddress?.ports ?? [])].find((p) => p.port < 1 || p.port > 65_535);
  if (bad !== undefined) return content(`The port '${bad.port}' is invalid.`);
  const twice = firstDuplicate(all.map((p) => `${p.port}/${p.protocol ?? 'TCP'}`));
  return twice === undefined ? undefined : content(`The port '${twice}' is used by more than one container.`);
};

const resources: Rule = ({ name, body }) => {
  const missing = body.properties.containers.find((c) => {
    const requests = c.properties.resources?.requests;
    return requests?.cpu === undefined || requests.memoryInGB === undefined;
  });
  if (missing === undefined) return undefined;
  return aci.invalid(
    'ResourceRequestsNotSpecified',
    `The resource requests are not specified in container '${missing.name}' of contain group '${name}'. Both memory and CPU requests are required since API version '2017-07-01-preview'.`,
  );
};

const resourceLimits: Rule = ({ name, body }) => {
  const totals = { Cpu: requestedCpu(body), MemoryInGB: requestedMemoryInGB(body) };
  for (const c of body.properties.containers) {
    const wanted = c.properties.resources?.limits;
    for (const [label, limit] of [
      ['Cpu', wanted?.cpu],
      ['MemoryInGB', wanted?.memoryInGB],
    ] as const)
      if (limit !== undefined && limit > totals[label])
        return aci.invalid(
          'ContainerLimitGreaterThanContainerGroupTotalRequest',
          `The '${label}' limit '${limit}' in container '${c.name}' is greater than the total request '${totals[label]}' of container group '${name}'.`,
        );
  }
  return undefined;
};

const environment: Rule = ({ name, body }) => {
  const bad = everyContainer(body).find((c) =>
    (c.properties.environmentVariables ?? []).some((v) => !environmentPattern.test(v.name)),
  );
  if (bad === undefined) return undefined;
  return aci.invalid(
    'InvalidContainerEnvironmentVariable',
    `The environment variable name in container '${bad.name}' of container group '${name}' is invalid. A valid environment variable name must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName').`,
  );
};

const addressPorts: Rule = ({ name, body }) => {
  const address = body.properties.ipAddress;
  if (address === undefined || (address.ports ?? []).length > 0) return undefined;
  return aci.invalid(
    'MissingIpAddressPorts',
    `The ports in the 'ipAddress' of container group '${name}' cannot be empty.`,
  );
};

const subnets: Rule = ({ name, body, undelegatedSubnets }) => {
  const ids = body.properties.subnetIds ?? [];
  if (ids.some((subnet) => undelegatedSubnets.has(subnet.id.toLowerCase())))
    return aci.invalid(
      'SubnetMissingRequiredDelegation',
      `Subnet missing required delegation 'Microsoft.ContainerInstance' for container group '${name}'.`,
    );
  if (ids.length === 0 && body.properties.dnsConfig !== undefined)
    return content("The 'dnsConfig' of a container group needs 'subnetIds'.");
  if (ids.length > 1) return content("Only one subnet is allowed in 'subnetIds'.");
  if (ids.length > 0 && body.properties.ipAddress?.type === 'Public')
    return content("A container group in a virtual network cannot have a 'Public' ip address.");
  return undefined;
};

const volumes: Rule = ({ body }) => {
  const declared = body.properties.volumes ?? [];
  const twice = firstDuplicate(declared.map((v) => v.name));
  if (twice !== undefined) return content(`The volume name '${twice}' is used more than once.`);
  const odd = declared.find(
    (v) => [v.emptyDir, v.secret, v.gitRepo, v.azureFile].filter((kind) => kind !== undefined).length !== 1,
  );
  if (odd !== undefined) return content(`The volume '${odd.name}' must have exactly one type.`);
  const bad = declared.find((v) => Object.values(v.secret ?? {}).some((text) => !isBase64(text)));
  return bad === undefined ? undefined : content(`The secret volume '${bad.name}' is not base64 encoded.`);
};

const volumeMounts: Rule = ({ body }) => {
  const known = new Set((body.properties.volumes ?? []).map((v) => v.name));
  for (const c of everyContainer(body))
    for (const mount of c.properties.volumeMounts ?? []) {
      if (!known.has(mount.name)) return content(`The volume '${mount.name}' in container '${c.name}' not found.`);
      if (mount.mountPath.includes(':')) return content(`The mount path '${mount.mountPath}' is invalid.`);
    }
  return undefined;
};

const initContainers: Rule = ({ body }) => {
  const odd = (body.properties.initContainers ?? []).find(({ properties: p }) =>
    [p.resources, p.ports, p.livenessProbe, p.readinessProbe].some((field) => field !== undefined),
  );
  return odd === undefined
    ? undefined
    : content(`The init container '${odd.name}' cannot have resources, ports or probes.`);
};

const probes: Rule = ({ body }) => {
  const odd = body.properties.containers.find(({ properties: p }) =>
    [p.livenessProbe, p.readinessProbe].some(
      (probe) => probe !== undefined && (probe.exec === undefined) === (probe.httpGet === undefined),
    ),
  );
  return odd === undefined ? undefined : content(`A probe of '${odd.name}' must specify one of "exec" and "httpGet".`);
};

const tags: Rule = ({ body }) => checkTags(body.tags);

const rules: readonly Rule[] = [
  tags,
  ...identityRules,
  groupName,
  osType,
  counts,
  containerNames,
  initContainers,
  ports,
  resources,
  resourceLimits,
  environment,
  addressPorts,
  ...kindRules,
  subnets,
  ...extensionRules,
  volumes,
  volumeMounts,
  probes,
];
