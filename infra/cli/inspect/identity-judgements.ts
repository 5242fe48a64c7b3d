import { isSameId, resourceName } from '../../../shared/core/resource-id.ts';
import { unknownWorkspaces } from '../../../shared/core/pod/grant.ts';
import type { ClusterRegistration, Settings } from '../../../shared/wire/settings.ts';
import type { AppFacts } from './azure-judgements.ts';
import { failed, good, warned } from './check.ts';
import type { Check } from './check.ts';

type Identities = AppFacts['userIdentities'];
type PullSettings = Pick<Settings, 'AZURE_CLIENT_ID' | 'REGISTRY_PULL_CLIENT_ID' | 'REGISTRY_PULL_IDENTITIES'>;

/** The user-assigned identity that the app itself is; undefined: the system assigned it, or nobody knows. */
export const ownIdentity = (
  { AZURE_CLIENT_ID: clientId }: Pick<Settings, 'AZURE_CLIENT_ID'>,
  identities: Identities | undefined,
): Identities[number] | undefined => identities?.find((one) => isSameId(one.clientId, clientId));

/**
 * The identity that pulls from registries of Azure: it is not the app's own, the settings name it in both places, and the
 * app has it. `identities`: those of the app, where they are known. No check where no setting names one.
 */
export function judgePull(settings: PullSettings, identities: Identities | undefined): readonly Check[] {
  const name = 'registry pull';
  const { REGISTRY_PULL_CLIENT_ID: clientId, REGISTRY_PULL_IDENTITIES: pullIdentities } = settings;
  const servers = Object.keys(pullIdentities);
  if (clientId === undefined && servers.length === 0) return [];
  const own = ownIdentity(settings, identities);
  const ofApp = servers.filter((server) => isSameId(own?.id, pullIdentities[server]));
  if (ofApp.length > 0 || isSameId(settings.AZURE_CLIENT_ID, clientId)) {
    const found = `${ofApp.length > 0 ? 'REGISTRY_PULL_IDENTITIES' : 'REGISTRY_PULL_CLIENT_ID'} is the app's own identity, with which every container of a group could do all that the app does.`;
    return [
      failed(name, found, 'Take the setting away, and attach --acr NAME: it makes an identity that may pull alone.'),
    ];
  }
  if (clientId === undefined) {
    const found = `REGISTRY_PULL_CLIENT_ID is not set: ACI pulls from ${servers.join(', ')}, and the app can not ask there what an image runs.`;
    return [
      warned(name, found, 'attach --acr NAME, or set it to the client id of that identity, attached to the app.'),
    ];
  }
  if (identities !== undefined && !identities.some((one) => isSameId(one.clientId, clientId))) {
    const fix = 'Assign it (az functionapp identity assign --identities ID), or attach --acr NAME.';
    return [failed(name, `The app does not have the identity of REGISTRY_PULL_CLIENT_ID ${clientId}.`, fix)];
  }
  const pulled = servers.map((server) => `${server} as ${resourceName(pullIdentities[server] ?? '')}`);
  const found = pulled.length === 0 ? 'ACI pulls with pull secrets alone.' : `ACI pulls from ${pulled.join(', ')}.`;
  return [good(name, `The app asks registries as ${clientId}. ${found}`)];
}

interface GrantFacts {
  /** Of the settings. */
  readonly workspaces: Readonly<Record<string, unknown>>;
  /** Resource id of the app's own identity, where it is known. */
  readonly own: string | undefined;
}

/** What a cluster's grants name that they must not, or that is nowhere. No check where there are none. */
export function judgeGrants(
  { name: cluster, grants = [] }: Pick<ClusterRegistration, 'name' | 'grants'>,
  { workspaces, own }: GrantFacts,
): Check | undefined {
  if (grants.length === 0) return undefined;
  const name = `${cluster}: grants`;
  const bad = grants.find(({ identities }) => identities.some((id) => isSameId(id, own)));
  const again = 'Take it out of the file, and attach --grants FILE';
  if (bad !== undefined) {
    const found = `That to ${bad.namespace} names the app's own identity, with which a pod could do all that the app does.`;
    return failed(name, found, `${again}.`);
  }
  const unknown = unknownWorkspaces(grants, workspaces);
  if (unknown.length > 0)
    return warned(
      name,
      `They name ${unknown.join(', ')}, which LOG_ANALYTICS_WORKSPACES has not.`,
      `${again}, or add it to the setting.`,
    );
  const namespaces = [...new Set(grants.map(({ namespace }) => (namespace === '*' ? 'every namespace' : namespace)))];
  return good(name, `${String(grants.length)}, to pods of ${namespaces.join(', ')}.`);
}
