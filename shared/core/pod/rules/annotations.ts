import { otherAnnotations, annotationPrefix, virtualNodePrefix, annotationReaders } from '../annotations/readers.ts';
import { isConfidential, placed } from '../annotations/placed.ts';
import { readWishes } from '../annotations/read-wishes.ts';
import type { ReadWishes } from '../annotations/read-wishes.ts';
import type { Wish } from '../annotations/wishes.ts';
import { isGranted, isPublicAddressGranted, serviceAccountOf } from '../grant.ts';
import type { GrantedKind } from '../grant.ts';
import type { Pod } from '../../kubernetes/pod.ts';
import { refuse } from '../evaluation.ts';
import { own } from '../own.ts';
import type { InspectionFacts, Notice, Refusal } from '../translation.ts';
import type { Rule } from './rule.ts';

const field = (annotation: string): string => `metadata.annotations[${annotation}]`;

const known: ReadonlySet<string> = new Set([
  ...annotationReaders.flatMap(({ names }) => names),
  ...otherAnnotations.map(({ name }) => name),
]);

/** Ours in any subdomain too, such as `example.serverless-kubelet.io/`. */
const isOurs = (name: string): boolean =>
  name.startsWith(virtualNodePrefix) || (name.split('/')[0] ?? '').endsWith(annotationPrefix.slice(0, -1));

/** A typo in an annotation of ours must not go unseen. */
const unknownAnnotations = ({ metadata }: Pod): readonly Refusal[] =>
  Object.keys(metadata.annotations)
    .filter((name) => isOurs(name) && !known.has(name))
    .map((name) => refuse(field(name), 'this version does not know the annotation'));

const unsupported = ({ metadata }: Pod): readonly Refusal[] =>
  otherAnnotations.flatMap(({ name, refused }) =>
    refused?.values.test(own(metadata.annotations, name) ?? '') === true ? [refuse(field(name), refused.why)] : [],
  );

/** Judges and reports one thing that a grant has to name. */
interface Asked {
  readonly wish: Wish;
  readonly kind: GrantedKind | 'publicAddress';
  readonly name: string;
}

function asked({ wishes }: ReadWishes): readonly Asked[] {
  const { identities, keyIdentity, subnet, workspace, dnsNameLabel } = wishes;
  const one = (wish: Wish, kind: Asked['kind'], name: string | undefined): readonly Asked[] =>
    name === undefined ? [] : [{ wish, kind, name }];
  return [
    ...identities.map((name): Asked => ({ wish: 'identities', kind: 'identities', name })),
    ...one('keyIdentity', 'identities', keyIdentity),
    ...one('subnet', 'subnets', subnet),
    ...(workspace === 'none' || workspace === 'default' ? [] : one('workspace', 'logAnalytics', workspace)),
    ...one('dnsNameLabel', 'publicAddress', dnsNameLabel),
  ];
}

/** Without a grant no annotation may name what the app may give (docs/security.md, Grants). */
function ungranted(pod: Pod, read: ReadWishes, { grants = [] }: InspectionFacts): readonly (Refusal | Notice)[] {
  const who = `the ServiceAccount ${pod.metadata.namespace}/${serviceAccountOf(pod)}`;
  return asked(read).flatMap(({ wish, kind, name }): readonly (Refusal | Notice)[] => {
    const annotation = field(read.said.get(wish) ?? '');
    if (grants === 'assumed')
      return [{ reason: 'GrantAssumed', message: `${annotation}: taken to be granted to ${who} (${kind} of a grant)` }];
    const isGood = kind === 'publicAddress' ? isPublicAddressGranted(pod, grants) : isGranted(pod, grants, kind, name);
    if (isGood) return [];
    const what = kind === 'publicAddress' ? 'a public address' : name;
    return [
      refuse(
        annotation,
        `${who} is not granted ${what}; who runs the installation names it in ${kind} of a grant: serverless-kubelet attach --grants FILE`,
      ),
    ];
  });
}

function conflicts(pod: Pod, { wishes, said }: ReadWishes, facts: InspectionFacts): readonly Refusal[] {
  const { subnetId } = placed(facts, wishes);
  const of = (wish: Wish, why: string): Refusal => refuse(field(said.get(wish) ?? ''), why);
  const none = `${virtualNodePrefix}subnets.primary: none`;
  const isSpot = wishes.priority === 'Spot';
  const hasLabel = wishes.dnsNameLabel !== undefined;
  const key = [wishes.vaultBaseUrl, wishes.keyName, wishes.keyVersion];
  const firstOfKey = (['vaultBaseUrl', 'keyName', 'keyVersion', 'keyIdentity'] as const).find((wish) => said.has(wish));
  const inSubnet = subnetId !== undefined;
  return [
    ...(isSpot && inSubnet
      ? [of('priority', `Spot groups can be in no subnet; for a pod without an address: ${none}`)]
      : []),
    ...(isSpot && (wishes.zone ?? '') !== '' ? [of('zone', 'Spot groups can be in no zone')] : []),
    ...(isSpot && isConfidential(wishes)
      ? [of(said.has('sku') ? 'sku' : 'ccePolicy', 'Spot groups have the SKU Standard alone')]
      : []),
    ...(isSpot && hasLabel ? [of('dnsNameLabel', 'Spot groups have no address')] : []),
    ...(wishes.sku === 'Standard' && wishes.ccePolicy !== undefined
      ? [of('sku', 'a policy needs the SKU Confidential')]
      : []),
    ...(hasLabel && inSubnet
      ? [of('dnsNameLabel', `a group in a subnet has no public address; outside of it: ${none}`)]
      : []),
    ...(hasLabel && pod.spec.containers.every(({ ports }) => ports.length === 0)
      ? [of('dnsNameLabel', 'an address needs a port: name one in spec.containers[*].ports')]
      : []),
    ...(firstOfKey !== undefined && key.includes(undefined)
      ? [of(firstOfKey, `a key needs ${virtualNodePrefix}cmk.vaultbaseurl, cmk.keyname and cmk.keyversion`)]
      : []),
    ...unknownWorkspace({ wishes, said }, facts),
  ];
}

function unknownWorkspace(
  { wishes: { workspace }, said }: Pick<ReadWishes, 'wishes' | 'said'>,
  { workspaces, grants }: InspectionFacts,
): readonly Refusal[] {
  if (workspace === undefined || workspace === 'none' || grants === 'assumed') return [];
  if (own(workspaces ?? {}, workspace) !== undefined) return [];
  return [refuse(field(said.get('workspace') ?? ''), 'the setting LOG_ANALYTICS_WORKSPACES has no such name')];
}

/** Annotations that place and equip a group: each value, who may ask for it, and what goes together. */
export const annotationsRule: Rule = (pod, facts) => {
  const read = readWishes(pod.metadata.annotations);
  return [
    ...unknownAnnotations(pod),
    ...unsupported(pod),
    ...read.faults.map(({ annotation, why }) => refuse(field(annotation), why)),
    ...conflicts(pod, read, facts),
    ...ungranted(pod, read, facts),
  ];
};
