/** Gives an installation its place in a cluster: a namespace, two ServiceAccounts, and no more rights than they need. */
import * as z from 'zod';
import { accessObjects } from './access.ts';
import type { AccessObject, AccessOptions } from './access.ts';
import type { ClusterApi } from '../../cli/cluster/api.ts';
import { clusterStop } from '../../cli/cluster/cluster-fault.ts';
import { createKubeconfigApi } from '../../cli/cluster/kubeconfig-api.ts';
import type { ClusterEndpoint } from './kubeconfig.ts';
import { kubectlOutput } from './kubectl.ts';
import type { KubectlTarget } from './kubectl.ts';

/** Whose kubectl attaches what. `kubectl` must be an administrator's: it grants rights. */
export interface AttachOptions extends Partial<Omit<AccessOptions, 'nodes'>> {
  readonly kubectl: KubectlTarget;
  readonly nodes: readonly string[];
  /** How long the two tokens are asked to live, in seconds; a day if absent. The API server may grant less. */
  readonly tokenSeconds?: number;
}

/** What an attached cluster is known by. */
export interface Attachment {
  /** The UID of the kube-system namespace: the cluster's identity. */
  readonly clusterUid: string;
  /** `https://…` and the CA (empty: the system's), as in the administrator's kubeconfig. */
  readonly endpoint: ClusterEndpoint;
  readonly caPem: string;
  readonly namespace: string;
  readonly appServiceAccount: string;
  readonly relayServiceAccount: string;
  /** For the API server, as the app and as the relay. */
  readonly appToken: string;
  readonly relayToken: string;
  /** When the earlier of the two expires. */
  readonly tokensExpireAt: Date;
}

/** A ServiceAccount's token and its end. */
export interface ServiceAccountToken {
  readonly token: string;
  readonly expiresAt: Date;
}

/** Whose token is asked for: for the API server, or for `audience` alone. */
export interface TokenWanted {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly audience?: string;
  readonly durationSeconds: number;
}

/** Names of the installation's objects, unless others are given. */
export const accessDefaults = {
  namespace: 'serverless-kubelet',
  appServiceAccount: 'app',
  relayServiceAccount: 'relay',
} as const;

const fieldManager = 'serverless-kubelet';
const secondsPerDay = 86_400;

/**
 * Creates the namespace, both ServiceAccounts and their rights by server-side apply, and asks for a token of each.
 * Idempotent: a second call with other nodes leaves just the rights for those, and gives fresh tokens. It creates no
 * Node: the app does, as its node. Rejects with what kubectl said.
 */
export function attachNodes(options: AttachOptions): Promise<Attachment> {
  const { kubectl } = options;
  const apply = ['apply', '--server-side', '--force-conflicts', '--field-manager', fieldManager, '-f', '-'];
  const door: AttachDoor = {
    apply: async (items) => {
      const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
      await kubectlOutput(apply, { ...kubectl, input });
    },
    requestToken: (wanted) => requestToken({ kubectl, ...wanted }),
    readClusterUid: () => readClusterUid(kubectl),
    readEndpoint: () => readEndpoint(kubectl.kubeconfig),
  };
  return attachThrough(door, options);
}

/** How a cluster is spoken to, as its administrator, by whoever has no kubectl. */
export interface AttachDoor {
  /** Server-side apply of all objects, in their order. */
  apply(objects: readonly AccessObject[]): Promise<void>;
  requestToken(wanted: TokenWanted): Promise<ServiceAccountToken>;
  readClusterUid(): Promise<string>;
  readEndpoint(): Promise<ClusterEndpoint>;
}

/** As {@link attachNodes}, through another door than kubectl. */
export async function attachThrough(door: AttachDoor, options: Omit<AttachOptions, 'kubectl'>): Promise<Attachment> {
  const access = accessOf(options);
  const durationSeconds = options.tokenSeconds ?? secondsPerDay;
  await door.apply(accessObjects(access));
  const token = (serviceAccount: string): Promise<ServiceAccountToken> =>
    door.requestToken({ namespace: access.namespace, serviceAccount, durationSeconds });
  const [clusterUid, endpoint, app, relay] = await Promise.all([
    door.readClusterUid(),
    door.readEndpoint(),
    token(access.appServiceAccount),
    token(access.relayServiceAccount),
  ]);
  return {
    clusterUid,
    endpoint,
    caPem: endpoint.caPem,
    namespace: access.namespace,
    appServiceAccount: access.appServiceAccount,
    relayServiceAccount: access.relayServiceAccount,
    appToken: app.token,
    relayToken: relay.token,
    tokensExpireAt: new Date(Math.min(app.expiresAt.getTime(), relay.expiresAt.getTime())),
  };
}

/**
 * Takes all of that away again, the namespace last; tokens end with their ServiceAccounts. Nodes and Leases are the
 * app's to remove, before this. Idempotent.
 */
export async function detachNodes(options: Omit<AttachOptions, 'tokenSeconds'>): Promise<void> {
  const objects = accessObjects(accessOf(options)).toReversed();
  await kubectlOutput(['delete', '--ignore-not-found', '-f', '-'], {
    ...options.kubectl,
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
  });
}

/**
 * A token of a ServiceAccount (TokenRequest): for the API server, or for `audience` alone. The API server grants at
 * least ten minutes, and may grant less than asked: `expiresAt` says.
 */
export async function requestToken(
  options: TokenWanted & { readonly kubectl: KubectlTarget },
): Promise<ServiceAccountToken> {
  const { namespace, serviceAccount, audience, durationSeconds } = options;
  const args = ['create', 'token', serviceAccount, '--namespace', namespace, '--duration', `${durationSeconds}s`];
  const output = await kubectlOutput(
    audience === undefined ? args : [...args, '--audience', audience],
    options.kubectl,
  );
  const token = output.trim();
  return { token, expiresAt: tokenExpiry(token) };
}

/** The UID of the kube-system namespace, which a rebuilt cluster of the same name does not have. */
export async function readClusterUid(kubectl: KubectlTarget): Promise<string> {
  const uid = await kubectlOutput(['get', 'namespace', 'kube-system', '-o', 'jsonpath={.metadata.uid}'], kubectl);
  return z.uuid().parse(uid.trim());
}

const readMs = 30_000;

/** The cluster of a kubeconfig's current context, as the command line asks it. */
export const kubeconfigApi = (kubeconfig: string): ClusterApi =>
  createKubeconfigApi({
    file: () => kubeconfig,
    context: () => undefined,
    environment: process.env,
    signal: AbortSignal.timeout(readMs),
  });

/** Where the kubeconfig's current context points; an empty CA means the system's. */
export async function readEndpoint(kubeconfig: string): Promise<ClusterEndpoint> {
  const place = await kubeconfigApi(kubeconfig).place();
  if ('kind' in place) throw new Error(`${kubeconfig}: ${clusterStop(place).message}`);
  return { url: place.server, caPem: place.caPem ?? '' };
}

/** The end of a JWT, from its `exp` claim. */
export function tokenExpiry(token: string): Date {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8');
  return new Date(z.object({ exp: z.number() }).parse(JSON.parse(payload)).exp * 1000);
}

function accessOf(options: Omit<AttachOptions, 'tokenSeconds' | 'kubectl'>): AccessOptions {
  return {
    namespace: options.namespace ?? accessDefaults.namespace,
    nodes: options.nodes,
    appServiceAccount: options.appServiceAccount ?? accessDefaults.appServiceAccount,
    relayServiceAccount: options.relayServiceAccount ?? accessDefaults.relayServiceAccount,
    services: options.services ?? false,
  };
}
