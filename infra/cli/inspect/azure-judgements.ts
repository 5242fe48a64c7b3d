import type { Usage } from '../../../shared/ports/container-groups.ts';
import { hostBodyBytes, mostPostBytes } from '../../../shared/wire/relay-protocol/bounds.ts';
import { valueOf } from './observed.ts';
import type { Part } from './observed.ts';
import { failed, good, skipped, warned } from './check.ts';
import type { Check } from './check.ts';

/** Of `az account show`. */
export interface AccountFacts {
  readonly subscriptionId: string;
  readonly user: string;
  /** `Enabled`, `Disabled`, `Warned` … */
  readonly state: string;
}

/** What the reason itself advises, or else `otherwise`. */
const fixOf = (part: Part<unknown>, otherwise: string): string =>
  part.kind === 'unreadable' && part.fix !== undefined ? part.fix : otherwise;

const notAsked = (part: Part<unknown>): string => (part.kind === 'unreadable' ? part.reason : 'There is none.');

export function judgeLogin(account: Part<AccountFacts>): Check {
  const name = 'az login';
  const facts = valueOf(account);
  if (facts === undefined)
    return failed(name, notAsked(account), fixOf(account, 'Install the Azure CLI and run az login.'));
  const who = `${facts.user} in subscription ${facts.subscriptionId}`;
  return facts.state === 'Enabled'
    ? good(name, `Logged in as ${who}.`)
    : failed(
        name,
        `${who}, which is ${facts.state}.`,
        'Have the subscription enabled, or choose another: az account set.',
      );
}

/** Of `az functionapp show`. */
export interface AppFacts {
  /** `Running`, `Stopped` … */
  readonly state: string;
  readonly lastModified?: string;
  readonly isEnabled: boolean;
  readonly systemPrincipalId?: string;
  readonly userIdentities: readonly { readonly id: string; readonly clientId: string; readonly principalId: string }[];
}

export function judgeApp(app: Part<AppFacts>, name: string): Check {
  const check = 'function app';
  const facts = valueOf(app);
  if (facts === undefined)
    return failed(
      check,
      notAsked(app),
      fixOf(app, 'Check --app, --resource-group and --subscription, or deploy it (docs/deploy.md).'),
    );
  if (!facts.isEnabled || facts.state !== 'Running') {
    const state = facts.isEnabled ? facts.state : 'disabled';
    return failed(check, `${name} is ${state}.`, `az functionapp start --name ${name} --resource-group …`);
  }
  const since = facts.lastModified === undefined ? '' : `; last changed or deployed ${facts.lastModified}`;
  return good(check, `${name} is running${since}.`);
}

/** Which identity the settings mean, and whether the app has it. */
export function judgeIdentity(
  app: AppFacts,
  settings: { readonly ARM_CREDENTIAL: string; readonly AZURE_CLIENT_ID?: string | undefined },
): { readonly check: Check; readonly principalId: string | undefined } {
  const name = 'identity';
  if (settings.ARM_CREDENTIAL === 'default') {
    const fix = 'Leave ARM_CREDENTIAL out on Azure, so that the managed identity is used.';
    const check = warned(name, 'ARM_CREDENTIAL is "default": the app takes whatever its environment offers.', fix);
    return { check, principalId: app.systemPrincipalId };
  }
  const clientId = settings.AZURE_CLIENT_ID;
  if (clientId === undefined) {
    if (app.systemPrincipalId === undefined) {
      const fix =
        'az functionapp identity assign, or name a user-assigned one in AZURE_CLIENT_ID; then give it the roles.';
      return { check: failed(name, 'The app has no system-assigned identity.', fix), principalId: undefined };
    }
    const found = `The app is its system-assigned identity ${app.systemPrincipalId}.`;
    return { check: good(name, found), principalId: app.systemPrincipalId };
  }
  const found = app.userIdentities.find((one) => one.clientId.toLowerCase() === clientId.toLowerCase());
  if (found === undefined) {
    const fix = 'Assign it (az functionapp identity assign --identities ID), or correct AZURE_CLIENT_ID.';
    const check = failed(name, `The app does not have the identity of AZURE_CLIENT_ID ${clientId}.`, fix);
    return { check, principalId: undefined };
  }
  return {
    check: good(name, `The app is the user-assigned identity ${found.principalId}.`),
    principalId: found.principalId,
  };
}

const bodySetting = 'FUNCTIONS_REQUEST_BODY_SIZE_LIMIT';

/**
 * The Functions host reads a request's body whole, before the app sees who sent it. Without the setting that is up to
 * 100 MB, several times over: a few requests of anybody end an instance of 512 MB.
 */
export function judgeBodyLimit(values: Readonly<Record<string, string>>): Check {
  const name = 'body limit';
  const text = values[bodySetting]?.trim() ?? '';
  const limit = /^\d+$/.test(text) ? Number(text) : undefined;
  const fix = `Deploy the Bicep again, or: az functionapp config appsettings set … --settings ${bodySetting}=${String(hostBodyBytes)}`;
  if (text === '') return failed(name, `${bodySetting} is not set: anybody may send the app 100 MB at a time.`, fix);
  if (limit === undefined) return failed(name, `${bodySetting} is not a number of bytes.`, fix);
  const found = `Bodies of at most ${String(limit)} bytes reach the app.`;
  if (limit < mostPostBytes * 2) return failed(name, `${found} The relay's posts need more.`, fix);
  return limit > hostBodyBytes * 4
    ? warned(name, `${found} It needs ${String(hostBodyBytes)}.`, fix)
    : good(name, found);
}

export function judgeProvider(state: Part<string>): Check {
  const name = 'resource provider';
  const registered = valueOf(state);
  if (registered === undefined) return skipped(name, notAsked(state));
  return registered === 'Registered'
    ? good(name, 'Microsoft.ContainerInstance is registered.')
    : failed(
        name,
        `Microsoft.ContainerInstance is ${registered}.`,
        'az provider register --namespace Microsoft.ContainerInstance --wait',
      );
}

const askMore = 'Ask for more in the Azure portal: Quotas, Azure Container Instances.';

/** One check for the groups and one for the cores. */
export function judgeQuota(usages: Part<readonly Usage[]>, region: string): readonly Check[] {
  const list = valueOf(usages);
  if (list === undefined) return [skipped(`quota in ${region}`, notAsked(usages))];
  return [
    judgeUsage(list, { name: 'ContainerGroups', what: 'container groups', region }),
    judgeUsage(list, { name: 'StandardCores', what: 'cores', region }),
  ];
}

function judgeUsage(
  usages: readonly Usage[],
  { name, what, region }: { readonly name: string; readonly what: string; readonly region: string },
): Check {
  const check = `quota of ${what}`;
  const usage = usages.find((one) => one.name === name);
  if (usage === undefined) return skipped(check, `ARM reports no usage of ${name} in ${region}.`);
  const free = Math.max(0, usage.limit - usage.current);
  const found = `${String(free)} of ${String(usage.limit)} ${what} are free in ${region}.`;
  if (usage.limit === 0) return failed(check, `There is no quota of ${what} in ${region}.`, askMore);
  if (free === 0) return failed(check, found, `New pods stay Pending. ${askMore}`);
  return free < usage.limit / 10 ? warned(check, found, askMore) : good(check, found);
}

/** Of `az network vnet subnet show`. */
export interface SubnetFacts {
  readonly delegations: readonly string[];
  readonly prefixes: readonly string[];
  /** Addresses in use. */
  readonly used: number;
  readonly routeTable?: string;
}

const aciDelegation = 'Microsoft.ContainerInstance/containerGroups';
/** Azure keeps five addresses of every subnet. */
const keptByAzure = 5;
const fewAddresses = 10;

export function judgeSubnet(subnet: Part<SubnetFacts>): Check {
  const name = 'subnet';
  const facts = valueOf(subnet);
  if (facts === undefined) {
    const fix = 'Correct ACI_SUBNET_ID, or ask for the right to read the virtual network.';
    return subnet.kind === 'unreadable' && /no role|not on PATH|login|reached/.test(subnet.reason)
      ? skipped(name, subnet.reason)
      : failed(name, notAsked(subnet), fixOf(subnet, fix));
  }
  const others = facts.delegations.filter((one) => one.toLowerCase() !== aciDelegation.toLowerCase());
  if (facts.delegations.length === others.length) {
    const found = others.length === 0 ? 'It is delegated to nobody.' : `It is delegated to ${others.join(', ')}.`;
    return failed(name, found, `az network vnet subnet update --ids … --delegations ${aciDelegation}`);
  }
  const size = facts.prefixes.reduce((sum, prefix) => sum + prefixSize(prefix), 0);
  const free = Math.max(0, size - keptByAzure - facts.used);
  const found = `It is delegated to ACI, and about ${String(free)} addresses are free.`;
  if (free === 0) return failed(name, found, 'Each pod takes one: use a larger subnet, or end what is not needed.');
  if (free < fewAddresses) return warned(name, found, 'Each pod takes one: use a larger subnet.');
  if (facts.routeTable !== undefined)
    return warned(
      name,
      `${found} It has a route table.`,
      'See that it lets groups reach their registry and the API server.',
    );
  return good(name, found);
}

/** Addresses of an IPv4 prefix; 0 for what is none. */
export function prefixSize(prefix: string): number {
  const [, bits] = /^\d+\.\d+\.\d+\.\d+\/(\d{1,2})$/.exec(prefix) ?? [];
  return bits === undefined || Number(bits) > 32 ? 0 : 2 ** (32 - Number(bits));
}
