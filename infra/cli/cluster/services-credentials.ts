import { servicesSecrets } from '../../../shared/core/access/roles.ts';
import type { ServicesSecret } from '../../../shared/core/access/roles.ts';
import { groupOwner, tagNames } from '../../../shared/core/group/identity.ts';
import type { ListedGroup } from '../../../shared/core/group/group.ts';

/** A Secret of the account `services` as the cluster has it. */
export interface CredentialSecret {
  readonly name: ServicesSecret;
  readonly uid: string;
  /** Whether the token controller has filled it. */
  readonly hasToken: boolean;
  readonly createdMs: number;
  /** Since when it is known that no registration names it, as an `attach` wrote on it. */
  readonly formerMs?: number;
  /** Pods, as `namespace/name`, whose groups have its token; undefined: not known, and so it stays. */
  readonly pods: readonly string[] | undefined;
}

/** Pods of a cluster whose groups have the token of this very Secret. Pure. */
export function podsHolding(
  groups: readonly Pick<ListedGroup, 'tags'>[],
  home: { readonly installation: string; readonly cluster: string },
  secret: Pick<CredentialSecret, 'name' | 'uid'>,
): readonly string[] {
  return groups.flatMap(({ tags }) => {
    const owner = groupOwner(tags);
    const isOurs = owner?.installation === home.installation && owner.cluster === home.cluster;
    return isOurs && tags[tagNames.services] === `${secret.name}/${secret.uid}`
      ? [`${owner.namespace}/${owner.name}`]
      : [];
  });
}

export interface CredentialsInput {
  readonly isOn: boolean;
  /** That of the registration. */
  readonly registered: ServicesSecret | undefined;
  readonly secrets: readonly CredentialSecret[];
  readonly isRotation: boolean;
  readonly nowMs: number;
  /** Whether something else installs the chart. */
  readonly keepsChart: boolean;
}

/** Which Secrets there are to be, and which of them the app uses. */
export interface CredentialsPlan {
  /** The one of the registration; undefined: pods reach no Services. */
  readonly credential: ServicesSecret | undefined;
  /** All that the chart is to have. */
  readonly kept: readonly ServicesSecret[];
  /** Those that go: nobody has their token. */
  readonly removed: readonly ServicesSecret[];
  /** One that is there and must go before it is made: its token is an old one. */
  readonly renewed: ServicesSecret | undefined;
  /** Why there is no rotation. */
  readonly refusal: { readonly problem: string; readonly fix: string } | undefined;
}

/** A group that the app is about to make may have the former token, and is in no list yet. */
const settleMs = 600_000;
const shownPods = 5;

/**
 * A rotation goes to the other Secret, made anew; the former one stays as long as a group has its token, and a later run
 * takes it away. A run that ended half-way goes on: a Secret that is younger than the registered one is its. Pure.
 */
export function planCredentials(input: CredentialsInput): CredentialsPlan {
  const { isOn, registered, secrets } = input;
  // The registration that names it outlives this run of the chart.
  const held = secrets.filter(
    (secret) => secret.pods?.length !== 0 || !isSettled(secret, input.nowMs) || (!isOn && secret.name === registered),
  );
  if (!isOn) return planOf(undefined, secrets, held);
  if (input.isRotation) return planNewToken(input);
  const credential = registered ?? secrets[0]?.name ?? servicesSecrets[0];
  return planOf(credential, secrets, held);
}

/** Whether every app has heard for long enough that the Secret is not to be used; what nobody wrote down is not known. */
const isSettled = ({ formerMs }: CredentialSecret, nowMs: number): boolean =>
  formerMs !== undefined && nowMs - formerMs >= settleMs;

/** What is to be written on Secrets once the registration is: since when one is a former one, or that it is none. Pure. */
export function planMarks(
  { credential, removed, renewed }: CredentialsPlan,
  secrets: readonly CredentialSecret[],
  registered: ServicesSecret | undefined,
): readonly { readonly secret: CredentialSecret; readonly isFormer: boolean }[] {
  return secrets
    .filter(({ name }) => name !== renewed && !removed.includes(name))
    .flatMap((secret) => {
      const isFormer = secret.name !== credential;
      const isMarked = secret.formerMs !== undefined;
      return isFormer !== isMarked || (isFormer && secret.name === registered) ? [{ secret, isFormer }] : [];
    });
}

function planOf(
  credential: ServicesSecret | undefined,
  secrets: readonly CredentialSecret[],
  held: readonly CredentialSecret[],
): CredentialsPlan {
  const kept = servicesSecrets.filter((name) => name === credential || held.some((secret) => secret.name === name));
  const removed = secrets.map(({ name }) => name).filter((name) => !kept.includes(name));
  return { credential, kept, removed, renewed: undefined, refusal: undefined };
}

/** A Secret that is not there is made with a new token: no other has to go for it, and none that is there will do. */
function planNewToken(input: CredentialsInput): CredentialsPlan {
  const { registered, secrets } = input;
  const isThere = (wanted: ServicesSecret): boolean => secrets.some(({ name }) => name === wanted);
  if (registered !== undefined)
    return isThere(registered) ? planRotation(input, registered) : planOf(registered, secrets, secrets);
  const missing = servicesSecrets.find((name) => !isThere(name));
  if (missing !== undefined) return planOf(missing, secrets, secrets);
  const [first] = servicesSecrets;
  return planRotation(input, secrets.find(({ pods }) => pods?.length !== 0)?.name ?? first);
}

const isYounger = (other: CredentialSecret, current: CredentialSecret): boolean =>
  other.formerMs === undefined && other.createdMs > current.createdMs;

/** From the Secret `from`, which is there. */
function planRotation(input: CredentialsInput, from: ServicesSecret): CredentialsPlan {
  const { registered, secrets, nowMs, keepsChart } = input;
  const next = servicesSecrets.find((name) => name !== from) ?? from;
  const other = secrets.find(({ name }) => name === next);
  const current = secrets.find(({ name }) => name === from);
  // Younger than the one in use: made for this very rotation.
  const isFresh = registered !== undefined && other !== undefined && current !== undefined && isYounger(other, current);
  const plan: CredentialsPlan = {
    credential: next,
    kept: [...servicesSecrets],
    removed: [],
    renewed: other === undefined || isFresh ? undefined : next,
    refusal: undefined,
  };
  const refuse = (problem: string, fix: string): CredentialsPlan => ({
    ...planOf(from, secrets, secrets),
    refusal: { problem, fix },
  });
  if (other === undefined) return plan;
  if (other.pods === undefined)
    return refuse(
      `whether a group has the former token, of ${next}, is not known: the container groups can not be listed`,
      'use a login that may read them: kubectl aci status says why it can not',
    );
  if (other.pods.length > 0)
    return refuse(
      `the token of ${next}, from before the last rotation, is still in ${groupsOf(other.pods)}`,
      'replace these pods (kubectl rollout restart), then the same command again; a rotation is over when nobody has the former token',
    );
  if (isFresh) return plan;
  if (other.formerMs === undefined)
    return refuse(
      `since when ${next} is not in use is written nowhere, and a group that is being made may have its token`,
      'attach without --rotate-services, which writes it down, then the same command again in ten minutes',
    );
  if (!isSettled(other, nowMs))
    return refuse(
      `the last rotation is less than ten minutes ago, and a group that is being made may have the token of ${next}`,
      'the same command again in ten minutes',
    );
  return keepsChart
    ? refuse(
        `the Secret ${next} is there with its old token, and --keep-chart does not make it anew`,
        `take ${next} out of the chart's value services.credentials, then put it in again, then the same command again`,
      )
    : plan;
}

/** `7 container groups, of the pods a/b, c/d and 5 more`. */
function groupsOf(pods: readonly string[]): string {
  const more = pods.length - shownPods;
  const named = pods.toSorted().slice(0, shownPods).join(', ');
  const groups = pods.length === 1 ? '1 container group, of the pod' : `${pods.length} container groups, of the pods`;
  return `${groups} ${named}${more > 0 ? ` and ${more} more` : ''}`;
}
