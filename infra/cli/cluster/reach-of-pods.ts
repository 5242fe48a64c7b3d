import { defined } from '../../../shared/core/defined.ts';
import type { ClusterRegistration } from '../../../shared/wire/settings.ts';
import type { AksNetwork } from './aks-network.ts';
import { isInRange, rangesOverlap } from './ipv4-range.ts';
import { planCredentials } from './services-credentials.ts';
import type { CredentialSecret, CredentialsPlan } from './services-credentials.ts';

type Dns = NonNullable<ClusterRegistration['dns']>;
type Declined = NonNullable<ClusterRegistration['declined']>;

/** What the operator said of it; undefined: as registered, else what can be found out. */
export interface ReachWants {
  readonly dns: 'auto' | 'azure' | readonly string[] | undefined;
  readonly clusterDomain: string | undefined;
  readonly services: 'auto' | 'on' | 'off' | undefined;
  readonly clusterCidr: string | undefined;
  readonly isRotation: boolean;
}

export interface ReachFacts {
  /** Whether the app makes groups in a subnet. */
  readonly hasSubnet: boolean;
  /** Undefined: nothing is known of the cluster's network. */
  readonly network: AksNetwork['kind'] | undefined;
  /** Where the addresses of the cluster's own pods come from, when it is one range. */
  readonly podRange: string | undefined;
  /** Whether the pods' subnet is in another network than the AKS cluster, and no peering of the two is seen. */
  readonly isElsewhere: boolean;
  /** ClusterIP of the cluster's DNS, IPv4. */
  readonly dnsAddress: string | undefined;
  /** Why that could not be read. */
  readonly dnsUnread: string | undefined;
  /** By CoreDNS' configuration. */
  readonly domain: string | undefined;
  readonly serviceRanges: readonly string[];
  /** Of the name servers that are wanted, those that a Service has. */
  readonly serviceAddresses: readonly string[];
  /** Ranges of the subnets in the pods' network, the pods' own first. */
  readonly subnetRanges: readonly string[];
  readonly secrets: readonly CredentialSecret[];
  /** Why they could not be read; then `secrets` is empty and says nothing. */
  readonly secretsUnread: string | undefined;
  readonly keepsChart: boolean;
  /** Whether nothing is changed, and it is shown what the chart is to have. */
  readonly isDryRun: boolean;
  readonly nowMs: number;
}

/** A reason not to begin. */
interface Complaint {
  readonly problem: string;
  readonly fix: string;
}

/** Members of the registration, the Secrets, and what there is to say. */
export interface ReachPlan {
  readonly dns: ClusterRegistration['dns'];
  readonly services: ClusterRegistration['services'];
  readonly declined: ClusterRegistration['declined'];
  readonly credentials: CredentialsPlan;
  /** Why Services are off where nobody wanted that, and what to see to where they come on. */
  readonly remarks: readonly string[];
  readonly complaints: readonly Complaint[];
}

type Registered = Pick<ClusterRegistration, 'dns' | 'services' | 'declined'> | undefined;

interface Switch {
  readonly isOn: boolean;
  readonly remarks: readonly string[];
}

/**
 * How pods reach names and Services of the cluster. What an operator said, or what is registered, outlasts what is found
 * out, unless `auto` is asked for. Pure.
 */
export function planReach(wants: ReachWants, facts: ReachFacts, registered: Registered): ReachPlan {
  const { isOn, remarks } = servicesSwitch(wants, facts, registered);
  const dns = planDns(wants, { ...facts, isOn }, registered);
  const credentials = planCredentials({
    ...facts,
    isOn,
    registered: registered?.services?.credential,
    isRotation: wants.isRotation,
  });
  const { credential } = credentials;
  const declined = planDeclined(wants, registered);
  return {
    dns,
    services: credential === undefined ? undefined : { clusterCidr: clusterCidr(wants, facts, registered), credential },
    declined: declined.length === 0 ? undefined : declined,
    credentials,
    remarks: [
      ...remarks,
      ...dnsRemarks(facts, {
        isOn,
        isWanted: dns === undefined && wants.dns === undefined && !isDeclined(registered, 'dns'),
      }),
      ...credentialRemarks(facts, credentials),
    ],
    complaints: complaintsOf(wants, facts, { dns, isOn, credentials }),
  };
}

const wayOut =
  'give CoreDNS an internal load balancer and pods its address with --dns IP, and reach Services by load balancers of their own (docs/deploy.md, Names and Services)';

function servicesSwitch({ services: wanted }: ReachWants, facts: ReachFacts, registered: Registered): Switch {
  const isNew = registered?.services === undefined;
  const on: Switch = { isOn: true, remarks: isNew && facts.isElsewhere ? [elsewhere] : [] };
  const off: Switch = { isOn: false, remarks: [] };
  if (wanted === 'on') return on;
  if (wanted === 'off') return off;
  const isKnown = facts.network !== undefined && facts.network !== 'unknown';
  if (!isNew && (wanted === undefined || !isKnown)) return on;
  if (wanted === undefined && isDeclined(registered, 'services')) return off;
  const why = reasonAgainst(facts);
  return why === undefined ? on : { isOn: false, remarks: [`pods reach no Services: ${why}`] };
}

const elsewhere =
  "the pods' subnet is in another virtual network than the cluster: pods reach Services where the two are peered";

/** Why names of the cluster are not asked for, though Services are on. */
function dnsRemarks(
  facts: ReachFacts,
  { isOn, isWanted }: { readonly isOn: boolean; readonly isWanted: boolean },
): readonly string[] {
  if (!isOn || !isWanted) return [];
  const why = facts.dnsUnread === undefined ? noDns : unreadDns(facts.dnsUnread);
  return [`names of the cluster are not asked for: ${why}; give --dns IP`];
}

const noDns = 'kube-system has no Service kube-dns';
const unreadDns = (reason: string): string =>
  `the Service kube-dns of kube-system can't be read: ${reason.replace(/\.$/, '')}`;

/** What stays of former tokens, and what GitOps has to do where helm would. */
function credentialRemarks(
  { keepsChart, secrets, secretsUnread }: ReachFacts,
  plan: CredentialsPlan,
): readonly string[] {
  const former = secrets.filter(({ name }) => name !== plan.credential && plan.kept.includes(name));
  const gone = keepsChart ? plan.removed : [];
  return [
    ...(secretsUnread === undefined ? [] : [`which Secrets of Services there are can't be seen: ${secretsUnread}`]),
    ...former.map(
      ({ name }) =>
        `the token of ${name} stays as long as a group has it, or may have it: a later attach takes it away`,
    ),
    ...gone.map((name) => `no group has the token of ${name}: take it out of the chart's values (services)`),
  ];
}

/** Why Services are not turned on by themselves, with the way out; undefined: they are. */
function reasonAgainst(facts: ReachFacts): string | undefined {
  const { hasSubnet, network, serviceRanges, subnetRanges } = facts;
  if (!hasSubnet) return 'the app has no ACI_SUBNET_ID, and only groups in a subnet reach anything of the cluster';
  const hidden = 'their back ends have addresses that nobody outside of the cluster reaches';
  switch (network) {
    case 'overlay':
      return `with Azure CNI Overlay ${hidden}; ${wayOut}`;
    case 'kubenet':
      return `with kubenet ${hidden}; ${wayOut}`;
    case 'flat':
      break;
    default:
      return "nothing is known of the cluster's network; where the pods' subnet has a route to the addresses of pods: --services on";
  }
  if (facts.isElsewhere)
    return "the pods' subnet is in another virtual network than the cluster, and no connected peering of the two is seen; where there is a route to the addresses of pods: --services on";
  const overlap = overlapOf(serviceRanges, subnetRanges);
  if (overlap !== undefined) return `${overlap}; --services off leaves it so without this sentence`;
  // Nobody's pipeline stops for what nobody asked for.
  return facts.keepsChart && !facts.isDryRun && facts.secrets.length === 0
    ? 'the chart that --keep-chart leaves as it is has no Secret for it; install it with the values that --dry-run shows (services), then the same command again'
    : undefined;
}

const overlapOf = (services: readonly string[], subnets: readonly string[]): string | undefined =>
  services
    .flatMap((range) => subnets.filter((subnet) => rangesOverlap(range, subnet)).map((subnet) => [range, subnet]))
    .map(
      ([range, subnet]) => `the Services' range ${range} and the subnet ${subnet} overlap: pods reach one of both only`,
    )
    .at(0);

function planDns(wants: ReachWants, facts: ReachFacts & Pick<Switch, 'isOn'>, registered: Registered): Dns | undefined {
  const { dns: wanted, clusterDomain } = wants;
  const before = registered?.dns;
  if (wanted === 'azure' || (wanted === undefined && isDeclined(registered, 'dns'))) return undefined;
  if (wanted === undefined && before !== undefined) return { ...before, ...defined({ domain: clusterDomain }) };
  const domain = clusterDomain ?? facts.domain ?? before?.domain ?? 'cluster.local';
  if (typeof wanted === 'object')
    return { nameServers: [...wanted], domain, viaServices: wanted.some((address) => isService(address, facts)) };
  const { dnsAddress, isOn } = facts;
  if (isOn && dnsAddress !== undefined) return { nameServers: [dnsAddress], domain, viaServices: true };
  return withoutServices(before, domain);
}

/** What is no ClusterIP works all the same. */
const withoutServices = (before: Dns | undefined, domain: string): Dns | undefined =>
  before?.viaServices === false ? { ...before, domain } : undefined;

const isDeclined = (registered: Registered, member: Declined[number]): boolean =>
  registered?.declined?.includes(member) === true;

const isService = (address: string, { serviceRanges, serviceAddresses }: ReachFacts): boolean =>
  serviceAddresses.includes(address) || serviceRanges.some((range) => isInRange(address, range));

const clusterCidr = (wants: ReachWants, { podRange }: ReachFacts, registered: Registered): string =>
  wants.clusterCidr ??
  (wants.services === 'auto' ? undefined : registered?.services?.clusterCidr) ??
  podRange ??
  '10.0.0.0/8';

/** Only what was turned off by a person; `auto`, or another value, takes it back. */
function planDeclined({ dns, services }: ReachWants, registered: Registered): Declined {
  const before = registered?.declined ?? [];
  const isOff = (wanted: boolean | undefined, member: Declined[number]): boolean => wanted ?? before.includes(member);
  const off: Declined = [];
  if (isOff(dns === undefined ? undefined : dns === 'azure', 'dns')) off.push('dns');
  if (isOff(services === undefined ? undefined : services === 'off', 'services')) off.push('services');
  return off;
}

interface Decided {
  readonly dns: Dns | undefined;
  readonly isOn: boolean;
  readonly credentials: CredentialsPlan;
}

const complaintsOf = (wants: ReachWants, facts: ReachFacts, decided: Decided): readonly Complaint[] => [
  ...complaintsOfServices(wants, facts, decided),
  ...complaintsOfDns(wants, facts, decided),
];

function complaintsOfServices(wants: ReachWants, facts: ReachFacts, { isOn, credentials }: Decided): Complaint[] {
  const { refusal } = credentials;
  const overlap = overlapOf(facts.serviceRanges, facts.subnetRanges);
  if (isOn)
    return [
      ...when(!facts.hasSubnet, {
        problem: 'Services want groups in a subnet, and the app has no ACI_SUBNET_ID',
        fix: 'deploy the app with a subnet (docs/deploy.md, Networks), or attach with --services off',
      }),
      ...when(overlap !== undefined, {
        problem: overlap ?? '',
        fix: 'attach with --services off, or give the pods another subnet',
      }),
      ...(refusal === undefined ? [] : [refusal]),
    ];
  return [
    ...when(wants.clusterCidr !== undefined, {
      problem: '--cluster-cidr goes with Services, and pods reach none',
      fix: 'add --services on, or leave it out',
    }),
    ...when(wants.isRotation, {
      problem: '--rotate-services makes a new token for Services, and pods reach none',
      fix: 'leave it out',
    }),
  ];
}

const complaintsOfDns = (
  wants: ReachWants,
  { dnsAddress, dnsUnread }: ReachFacts,
  { dns, isOn }: Decided,
): Complaint[] => [
  ...when(dns?.viaServices === true && !isOn, {
    problem: `pods would ask ${dns?.nameServers.join(', ') ?? ''} for names, a ClusterIP, and reach no Services`,
    fix: 'add --services on, or give --dns an address of CoreDNS behind an internal load balancer, or --dns azure',
  }),
  ...when(wants.dns === 'auto' && isOn && dnsAddress === undefined, {
    problem: dnsUnread === undefined ? `${noDns} with an IPv4 address` : unreadDns(dnsUnread),
    fix: "give the address of the cluster's DNS with --dns IP, or --dns azure",
  }),
  ...when(wants.clusterDomain !== undefined && dns === undefined, {
    problem: "--cluster-domain goes with name servers of the cluster, and pods ask Azure's resolver",
    fix: 'add --dns IP, or leave it out',
  }),
];

const when = (isSo: boolean, complaint: Complaint): Complaint[] => (isSo ? [complaint] : []);
