import * as z from 'zod';
import type { AzureCli } from '../../azure-cli.ts';
import { ask } from '../azure-objects.ts';
import { read } from '../observed.ts';
import type { Part } from '../observed.ts';
import type { SecurityRule } from './security-rules.ts';
import type { Route, SecurityGroup, SubnetNetwork } from './subnet-facts.ts';

const reference = z.object({ id: z.string() }).nullish();
const texts = z
  .array(z.string())
  .nullish()
  .transform((list) => list ?? []);

const subnetSchema = z.object({
  addressPrefix: z.string().nullish(),
  addressPrefixes: texts,
  networkSecurityGroup: reference,
  routeTable: reference,
  natGateway: reference,
  defaultOutboundAccess: z.boolean().nullish(),
});

/** A subnet, its security group, route table and NAT gateway; each that can't be read is a reason. Reads only. */
export async function readSubnetNetwork(az: AzureCli, id: string): Promise<Part<SubnetNetwork>> {
  const subnet = await ask(
    az,
    ['network', 'vnet', 'subnet', 'show', '--ids', id],
    (answer) => subnetSchema.safeParse(answer).data,
  );
  if (subnet.kind === 'unreadable') return subnet;
  const { addressPrefix, addressPrefixes, networkSecurityGroup, routeTable, natGateway } = subnet.value;
  const [securityGroup, routes, natAddresses] = await Promise.all([
    readIfThere(networkSecurityGroup, (one) => readSecurityGroup(az, one)),
    readIfThere(routeTable, (one) => readRoutes(az, one)),
    readIfThere(natGateway, (one) => readNatAddresses(az, one)),
  ]);
  return read({
    id,
    prefixes: addressPrefixes.length > 0 ? addressPrefixes : [addressPrefix ?? ''].filter((one) => one !== ''),
    securityGroup,
    routes,
    natAddresses,
    defaultOutbound: subnet.value.defaultOutboundAccess ?? undefined,
  });
}

const readIfThere = async <T>(
  where: z.infer<typeof reference>,
  readOne: (id: string) => Promise<Part<T>>,
): Promise<Part<T | undefined>> => (where ? readOne(where.id) : read(undefined));

const ruleSchema = z
  .object({
    name: z.string(),
    access: z.string(),
    direction: z.string(),
    priority: z.int(),
    protocol: z.string(),
    sourceAddressPrefix: z.string().nullish(),
    sourceAddressPrefixes: texts,
    destinationAddressPrefix: z.string().nullish(),
    destinationAddressPrefixes: texts,
    destinationPortRange: z.string().nullish(),
    destinationPortRanges: texts,
  })
  .transform((rule): SecurityRule => {
    const { name, access, direction, priority, protocol } = rule;
    return {
      name,
      allows: access === 'Allow',
      isInbound: direction === 'Inbound',
      priority,
      protocol,
      sources: oneOrMore(rule.sourceAddressPrefix, rule.sourceAddressPrefixes),
      destinations: oneOrMore(rule.destinationAddressPrefix, rule.destinationAddressPrefixes),
      ports: oneOrMore(rule.destinationPortRange, rule.destinationPortRanges),
    };
  });

/** ARM has one of both, the other is null, empty or absent. */
const oneOrMore = (one: string | null | undefined, more: readonly string[]): readonly string[] =>
  one ? [one, ...more] : more;

const groupSchema = z.object({
  name: z.string(),
  securityRules: z.array(ruleSchema).default([]),
  defaultSecurityRules: z.array(ruleSchema).default([]),
});

const readSecurityGroup = (az: AzureCli, id: string): Promise<Part<SecurityGroup>> =>
  ask(az, ['network', 'nsg', 'show', '--ids', id], (answer) => {
    const parsed = groupSchema.safeParse(answer).data;
    return parsed && { name: parsed.name, rules: [...parsed.securityRules, ...parsed.defaultSecurityRules] };
  });

const routesSchema = z.object({
  routes: z
    .array(
      z
        .object({
          name: z.string(),
          addressPrefix: z.string(),
          nextHopType: z.string(),
          nextHopIpAddress: z.string().nullish(),
        })
        .transform(({ name, addressPrefix, nextHopType, nextHopIpAddress }): Route => ({
          name,
          prefix: addressPrefix,
          nextHop: nextHopType,
          address: nextHopIpAddress || undefined,
        })),
    )
    .default([]),
});

const readRoutes = (az: AzureCli, id: string): Promise<Part<readonly Route[]>> =>
  ask(az, ['network', 'route-table', 'show', '--ids', id], (answer) => routesSchema.safeParse(answer).data?.routes);

const references = z
  .array(z.object({ id: z.string() }))
  .nullish()
  .transform((list) => (list ?? []).map(({ id }) => id));
const natSchema = z.object({ publicIpAddresses: references, publicIpPrefixes: references });
const addressSchema = z.object({ ipAddress: z.string() });
const prefixSchema = z.object({ ipPrefix: z.string() });

async function readNatAddresses(az: AzureCli, id: string): Promise<Part<readonly string[]>> {
  const gateway = await ask(
    az,
    ['network', 'nat', 'gateway', 'show', '--ids', id],
    (answer) => natSchema.safeParse(answer).data,
  );
  if (gateway.kind === 'unreadable') return gateway;
  const { publicIpAddresses, publicIpPrefixes } = gateway.value;
  const parts = await Promise.all([
    ...publicIpAddresses.map((one) =>
      ask(
        az,
        ['network', 'public-ip', 'show', '--ids', one],
        (answer) => addressSchema.safeParse(answer).data?.ipAddress,
      ),
    ),
    ...publicIpPrefixes.map((one) =>
      ask(
        az,
        ['network', 'public-ip', 'prefix', 'show', '--ids', one],
        (answer) => prefixSchema.safeParse(answer).data?.ipPrefix,
      ),
    ),
  ]);
  const unread = parts.find((part) => part.kind === 'unreadable');
  return unread ?? read(parts.flatMap((part) => (part.kind === 'read' ? [part.value] : [])));
}

const appSchema = z.object({
  virtualNetworkSubnetId: z.string().nullish(),
  properties: z.object({ virtualNetworkSubnetId: z.string().nullish() }).nullish(),
});

/** The subnet that the app calls out from; undefined: none. `args`: `--name … --resource-group …`. Reads only. */
export const readAppSubnet = (az: AzureCli, args: readonly string[]): Promise<Part<{ readonly id?: string }>> =>
  ask(az, ['functionapp', 'show', ...args], (answer) => {
    const parsed = appSchema.safeParse(answer).data;
    const id = parsed?.virtualNetworkSubnetId ?? parsed?.properties?.virtualNetworkSubnetId;
    return parsed && (id ? { id } : {});
  });
