import type { TokenRequest } from '../kubernetes/references.ts';
import type { Container, Pod, Volume, VolumeSource } from '../kubernetes/pod.ts';
import { defined } from '../defined.ts';
import { placedSubnet } from './annotations/placed.ts';
import { wishesOf } from './annotations/read-wishes.ts';
import { withoutServices } from './services.ts';
import { claimNameOf } from './shares.ts';
import { serviceAccountOf } from './grant.ts';
import { mountedVolumes, tokenSources, trustBundleSelectors } from './mounted-volumes.ts';
import type { TokenSource } from './mounted-volumes.ts';
import type { NodeFacts, References } from './translation.ts';

interface Named {
  readonly configMaps: readonly string[];
  readonly secrets: readonly string[];
}

function ofContainer({ env, envFrom }: Container): Named {
  return {
    configMaps: [
      ...envFrom.flatMap(({ configMapRef }) => configMapRef?.name ?? []),
      ...env.flatMap(({ valueFrom }) => valueFrom?.configMapKeyRef?.name ?? []),
    ],
    secrets: [
      ...envFrom.flatMap(({ secretRef }) => secretRef?.name ?? []),
      ...env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef?.name ?? []),
    ],
  };
}

function ofVolume(source: VolumeSource): Named {
  const sources = source.kind === 'projected' ? source.sources : [source];
  return {
    configMaps: sources.flatMap((part) => (part.kind === 'configMap' ? part.name : [])),
    secrets: sources.flatMap((part) => {
      if (part.kind === 'azureFile') return part.secretName;
      return part.kind === 'secret' ? part.name : [];
    }),
  };
}

const unique = (names: readonly string[]): readonly string[] =>
  [...new Set(names)].filter((name) => name !== '').sort();

/** The only number of seconds that an API server extends, to a year, for its own audience (KEP-1205). */
const extendedSeconds = 3607;
/** The most that API servers which extend nothing are known to give: AKS with its OIDC issuer caps at a day. */
const daySeconds = 86_400;

/**
 * A kubelet renews a token, a running group does not. For the API server's own audience the longest is asked for that it
 * gives: first by the number that it may extend, then a day, whatever less the volume says. Whoever takes another
 * audience may rely on the time that the volume names.
 */
function tokenTerms(
  audience: string | undefined,
  expirationSeconds: number,
): Pick<TokenRequest, 'audiences' | 'expirationSeconds' | 'elseSeconds'> {
  return audience === undefined || audience === ''
    ? { audiences: [], expirationSeconds: extendedSeconds, elseSeconds: Math.max(daySeconds, expirationSeconds) }
    : { audiences: [audience], expirationSeconds };
}

/** What is asked for one token of a pod. */
export const tokenRequest = (pod: Pod, { audience, expirationSeconds }: TokenSource): TokenRequest => ({
  namespace: pod.metadata.namespace,
  serviceAccountName: serviceAccountOf(pod),
  ...tokenTerms(audience, expirationSeconds),
  pod: { name: pod.metadata.name, uid: pod.metadata.uid },
});

/** What some volumes alone refer to; no tokens, which are asked for when it is known that they are needed. */
export function volumeReferences(pod: Pod, volumes: readonly Volume[]): References {
  const named = volumes.map(({ source }) => ofVolume(source));
  return {
    configMaps: unique(named.flatMap(({ configMaps }) => configMaps)),
    secrets: unique(named.flatMap(({ secrets }) => secrets)),
    claims: [],
    services: false,
    tokens: [],
    trustBundles: trustBundleSelectors(pod),
  };
}

/** What of a node decides what its pods refer to. */
export type ReferenceFacts = Pick<NodeFacts, 'apiServer' | 'services' | 'subnetId'>;

/** What must be read before `translatePod`, each name once and sorted; tokens in the order of the mounted volumes. */
export function listReferences(pod: Pod, facts: ReferenceFacts): References {
  const { spec } = pod;
  const named = [
    ...[...spec.initContainers, ...spec.containers].map(ofContainer),
    ...mountedVolumes(pod).map(({ volume }) => ofVolume(volume.source)),
  ];
  return {
    configMaps: unique(named.flatMap(({ configMaps }) => configMaps)),
    secrets: unique([...named.flatMap(({ secrets }) => secrets), ...spec.imagePullSecrets.map(({ name }) => name)]),
    claims: unique(
      mountedVolumes(pod).flatMap(({ volume }) =>
        volume.source.kind === 'claim' ? claimNameOf(pod, volume, volume.source) : [],
      ),
    ),
    services: spec.enableServiceLinks || facts.apiServer === undefined,
    tokens: tokenSources(pod).map((source) => tokenRequest(pod, source)),
    trustBundles: trustBundleSelectors(pod),
    ...defined({ servicesSecret: servicesSecretOf(pod, facts) }),
  };
}

function servicesSecretOf(pod: Pod, { services, subnetId }: ReferenceFacts): References['servicesSecret'] {
  const wishes = wishesOf(pod.metadata.annotations);
  const place = defined({ services, subnetId: placedSubnet(subnetId, wishes) });
  return withoutServices(place, wishes) === undefined ? services?.secret : undefined;
}
