import { annotationPrefix, otherAnnotations, virtualNodePrefix } from '../annotations/readers.ts';
import { isConfidential, isSpot, placed } from '../annotations/placed.ts';
import { readWishes } from '../annotations/read-wishes.ts';
import type { ReadWishes } from '../annotations/read-wishes.ts';
import type { GroupWishes, Wish } from '../annotations/wishes.ts';
import { knownAnnotations } from '../compatibility.ts';
import { grantsOf, serviceAccountOf } from '../grant.ts';
import type { GrantedKind } from '../grant.ts';
import type { Pod } from '../../kubernetes/pod.ts';
import { refuse } from '../evaluation.ts';
import { declaresPort } from '../ip-address.ts';
import { own } from '../own.ts';
import type { InspectionFacts, Notice, Refusal } from '../translation.ts';
import { isRefusal } from './rule.ts';
import type { Rule } from './rule.ts';

const field = (annotation: string): string => `metadata.annotations[${annotation}]`;

const ourDomain = annotationPrefix.slice(0, -1);

/** Ours in any subdomain too, such as `example.serverless-kubelet.io/`. */
function isOurs(name: string): boolean {
  const [domain = ''] = name.split('/');
  return name.toLowerCase().startsWith(virtualNodePrefix) || domain === ourDomain || domain.endsWith(`.${ourDomain}`);
}

/** A typo in an annotation of ours must not go unseen. */
const unknownAnnotations = ({ metadata }: Pod): readonly Refusal[] =>
  Object.keys(metadata.annotations)
    .filter((name) => isOurs(name) && !knownAnnotations.has(name))
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

/** What changes nothing needs no grant. */
function asked({ wishes }: ReadWishes, { subnetId = 'none', workspaces = {} }: InspectionFacts): readonly Asked[] {
  const { identities, keyIdentity, subnet, workspace, dnsNameLabel } = wishes;
  const one = (wish: Wish, kind: Asked['kind'], name: string | undefined): readonly Asked[] =>
    name === undefined ? [] : [{ wish, kind, name }];
  const free = own(workspaces, 'default') === undefined ? ['default', 'none'] : ['default'];
  return [
    ...identities.map((name): Asked => ({ wish: 'identities', kind: 'identities', name })),
    ...one('keyIdentity', 'identities', keyIdentity),
    ...(subnet?.toLowerCase() === subnetId.toLowerCase() ? [] : one('subnet', 'subnets', subnet)),
    ...(free.includes(workspace ?? 'default') ? [] : one('workspace', 'logAnalytics', workspace)),
    ...one('dnsNameLabel', 'publicAddress', dnsNameLabel),
  ];
}

/** No event: the app knows its grants. */
const grantAssumed = 'GrantAssumed';

/** Without a grant no annotation may name what the app may give (docs/security.md, Grants). */
function ungranted(pod: Pod, read: ReadWishes, facts: InspectionFacts): readonly (Refusal | Notice)[] {
  const { grants = [] } = facts;
  const who = `the ServiceAccount ${pod.metadata.namespace}/${serviceAccountOf(pod)}`;
  const granted = grantsOf(pod, grants === 'assumed' ? [] : grants);
  return asked(read, facts).flatMap(({ wish, kind, name }): readonly (Refusal | Notice)[] => {
    const annotation = field(read.said.get(wish) ?? '');
    if (grants === 'assumed')
      return [{ reason: grantAssumed, message: `${annotation}: taken to be granted to ${who} (${kind} of a grant)` }];
    const isGood = kind === 'publicAddress' ? granted.publicAddress : granted.names(kind, name);
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

interface Combination {
  readonly wishes: GroupWishes;
  readonly inSubnet: boolean;
  readonly hasPorts: boolean;
}

interface Conflict {
  /** Whose annotation is refused: the first that the pod has. */
  readonly wishes: readonly Wish[];
  readonly when: (combination: Combination) => boolean;
  readonly why: string;
}

const outside = `${virtualNodePrefix}subnets.primary: none`;
const keyWishes = ['vaultBaseUrl', 'keyName', 'keyVersion'] as const;
const hasLabel = ({ dnsNameLabel }: GroupWishes): boolean => dnsNameLabel !== undefined;

/** What does not go together (docs/aci.md, Limits of a group). */
const conflictTable: readonly Conflict[] = [
  {
    wishes: ['priority'],
    when: ({ wishes, inSubnet }) => isSpot(wishes) && inSubnet,
    why: `Spot groups can be in no subnet; for a pod without an address: ${outside}`,
  },
  {
    wishes: ['zone'],
    when: ({ wishes }) => isSpot(wishes) && wishes.zone !== '',
    why: 'Spot groups can be in no zone',
  },
  {
    wishes: ['sku', 'ccePolicy'],
    when: ({ wishes }) => isSpot(wishes) && isConfidential(wishes),
    why: 'Spot groups have the SKU Standard alone',
  },
  { wishes: ['dnsNameLabel'], when: ({ wishes }) => isSpot(wishes), why: 'Spot groups have no address' },
  {
    wishes: ['sku'],
    when: ({ wishes }) => wishes.sku === 'Standard' && wishes.ccePolicy !== undefined,
    why: 'a policy needs the SKU Confidential',
  },
  {
    wishes: ['dnsNameLabel'],
    when: ({ wishes, inSubnet }) => hasLabel(wishes) && inSubnet,
    why: `a group in a subnet has no public address; outside of it: ${outside}`,
  },
  {
    wishes: ['dnsNameLabel'],
    when: ({ wishes, hasPorts }) => hasLabel(wishes) && !hasPorts,
    why: 'an address needs a port that ACI declares: name one in spec.containers[*].ports',
  },
  {
    wishes: [...keyWishes, 'keyIdentity'],
    when: ({ wishes }) => keyWishes.some((wish) => wishes[wish] === undefined),
    why: `a key needs ${virtualNodePrefix}cmk.vaultbaseurl, cmk.keyname and cmk.keyversion`,
  },
];

/** Of values that can all be read: a faulty one would seem to be missing. */
function conflicts(pod: Pod, { wishes, said, faults }: ReadWishes, facts: InspectionFacts): readonly Refusal[] {
  if (faults.length > 0) return [];
  const combination: Combination = {
    wishes,
    inSubnet: placed(facts, wishes).subnetId !== undefined,
    hasPorts: declaresPort(pod),
  };
  const broken = conflictTable.flatMap(({ wishes: named, when, why }) => {
    const annotation = named.map((wish) => said.get(wish)).find((name) => name !== undefined);
    return annotation !== undefined && when(combination) ? [refuse(field(annotation), why)] : [];
  });
  return [...broken, ...unknownWorkspace({ wishes, said }, facts)];
}

function unknownWorkspace(
  { wishes: { workspace }, said }: Pick<ReadWishes, 'wishes' | 'said'>,
  { workspaces, grants }: InspectionFacts,
): readonly Refusal[] {
  if (workspace === undefined || workspace === 'none' || workspace === 'default') return [];
  // Where nobody knows the grants, nobody may know the settings either.
  if (workspaces === undefined && grants === 'assumed') return [];
  if (own(workspaces ?? {}, workspace) !== undefined) return [];
  return [refuse(field(said.get('workspace') ?? ''), 'the setting LOG_ANALYTICS_WORKSPACES has no such name')];
}

/** Whether the pod asks for something that no grant names. */
export const lacksGrant = (pod: Pod, facts: InspectionFacts): boolean =>
  ungranted(pod, readWishes(pod.metadata.annotations), facts).some(isRefusal);

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
