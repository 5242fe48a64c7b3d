import { aci } from './errors.ts';
import { content, isBase64 } from './rule.ts';
import type { Rule } from './rule.ts';
import { requestedCpu, requestedMemoryInGB } from './wire.ts';
import type { GroupBody } from './wire.ts';

const skus: readonly string[] = ['Standard', 'Dedicated', 'Confidential'];
/** The largest and the smallest group (docs/aci.md, Limits of a group). */
const largest = {
  Spot: { cpu: 4, memoryInGB: 16 },
  Confidential: { cpu: 31, memoryInGB: 180 },
  other: { cpu: 31, memoryInGB: 240 },
} as const;
const smallest = { cpu: 1, memoryInGB: 1 } as const;
const labelPattern = /^[a-z][a-z0-9-]{3,61}[a-z0-9]$/;

function largestOf({ properties: { priority, sku } }: GroupBody): {
  readonly cpu: number;
  readonly memoryInGB: number;
} {
  if (priority === 'Spot') return largest.Spot;
  return sku === 'Confidential' ? largest.Confidential : largest.other;
}

const groupSize: Rule = ({ body }) => {
  const cpu = requestedCpu(body);
  const memory = requestedMemoryInGB(body);
  const most = largestOf(body);
  if (cpu > most.cpu || memory > most.memoryInGB)
    return aci.invalid(
      'ResourceRequestsNotSupported',
      `The requested resource '${cpu}' CPU '${memory}' GB memory is not supported in the location.`,
    );
  if (cpu < smallest.cpu || memory < smallest.memoryInGB)
    return aci.invalid(
      'ResourceRequestsNotSupported',
      `The requested resource '${cpu}' CPU '${memory}' GB memory is below the minimum of '1' CPU '1' GB of a container group.`,
    );
  return undefined;
};

const priority: Rule = ({ name, body }) => {
  const { priority: value, sku = 'Standard', ipAddress, subnetIds } = body.properties;
  if (value === undefined || value === 'Regular') return undefined;
  if (value !== 'Spot')
    return aci.invalid(
      'PriorityNotSpecified',
      `The 'Priority' must be one of 'Regular,Spot' for container group '${name}'.`,
    );
  if (sku !== 'Standard')
    return aci.invalid(
      'SpotPriorityContainerGroupNotSupportedInSku',
      `Spot Priority Container Group is not supported in '${sku}' Sku.`,
    );
  if (ipAddress !== undefined || (subnetIds ?? []).length > 0)
    return aci.invalid(
      'SpotPriorityContainerGroupNotSupportedForInboundConnectivity',
      'Spot Priority is not supported for container groups with inbound connectivity.',
    );
  return (body.zones ?? []).length === 0
    ? undefined
    : content('Spot Priority is not supported for container groups with zones.');
};

/** The code of an unknown sku is inferred, and the text of a region without Confidential. */
const sku: Rule = ({ name, body, confidential = true }) => {
  const { sku: value = 'Standard', confidentialComputeProperties } = body.properties;
  if (!skus.includes(value))
    return content(`The 'sku' for container group '${name}' is invalid. The value must be one of '${skus.join(',')}'.`);
  if (value !== 'Confidential') return undefined;
  if (!confidential)
    return aci.invalid(
      'ConfidentialContainerGroupSkuIsNotSupported',
      `The 'Confidential' sku of container group '${name}' is not supported in the location.`,
    );
  const policy = confidentialComputeProperties?.ccePolicy;
  if (policy === '')
    return aci.invalid('InvalidCcePolicy', 'The CCE Policy cannot be left empty for Confidential Container Groups.');
  return policy === undefined || isBase64(policy)
    ? undefined
    : aci.invalid('InvalidCcePolicy', `The CCE Policy of container group '${name}' is not base64 encoded.`);
};

const zones: Rule = ({ body }) =>
  (body.zones ?? []).length > 1 ? content("Only one zone is allowed in 'zones'.") : undefined;

const dnsLabel: Rule = ({ name, body }) => {
  const { ipAddress } = body.properties;
  const label = ipAddress?.dnsNameLabel;
  if (label === undefined) return undefined;
  if (ipAddress?.type !== 'Public') return content("Only a 'Public' ip address can have a 'dnsNameLabel'.");
  return labelPattern.test(label)
    ? undefined
    : aci.invalid(
        'InvalidDnsNameLabel',
        `The DNS name label '${label}' in container group '${name}' is invalid. It can contain only lowercase letters, numbers and hyphens. The first character must be a letter. The last character must be a letter or number. The value must be between 5 and 63 characters long.`,
      );
};

/** What kind of group a body asks for: size, priority, sku, zone, name in the DNS. */
export const kindRules: readonly Rule[] = [groupSize, priority, sku, zones, dnsLabel];
