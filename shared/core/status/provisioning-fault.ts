import type { GroupEvent, GroupObservation } from '../group/group.ts';
import { hasInstallFailed, installFault } from './install-trouble.ts';
import { instantMs } from './time.ts';

export interface ProvisioningFault {
  /** The waiting reason: `ProviderCapacity`, `ErrImagePull`, `FailedMount` or `ProviderFailed`. */
  readonly reason: string;
  /** One sentence for a person, ACI's own where it gives one. */
  readonly message: string;
  /** `capacity` passes with time; `image` and `mount` may; nobody knows of `unknown`. */
  readonly kind: 'capacity' | 'image' | 'mount' | 'unknown';
}

type OperationEvents = readonly { readonly name: string; readonly message: string }[];

const kinds: readonly {
  readonly kind: ProvisioningFault['kind'];
  readonly reason: string;
  readonly matches: RegExp;
}[] = [
  {
    kind: 'capacity',
    reason: 'ProviderCapacity',
    matches:
      /^(InsufficientCapacity|ServiceUnavailable|ContainerGroupQuotaReached)\b|requested resource is not available|quota '.*' exceeded/i,
  },
  { kind: 'mount', reason: 'FailedMount', matches: /^FailedMount\b|mount error/i },
  {
    kind: 'image',
    reason: 'ErrImagePull',
    matches: /^(InaccessibleImage|RegistryErrorResponse|ErrImagePull|ImagePullBackOff)\b|^(Failed|BackOff)\b.*\bpull/i,
  },
];

/**
 * Why a group could not be provisioned: from the operation's events, then the group's, then its containers'. Undefined
 * unless `provisioningState` is Failed or Canceled, or the agent could not prepare it.
 */
export function provisioningFault(
  group: GroupObservation,
  operationEvents: OperationEvents = [],
): ProvisioningFault | undefined {
  if (group.provisioningState !== 'Failed' && group.provisioningState !== 'Canceled')
    return hasInstallFailed(group)
      ? { kind: 'unknown', reason: 'ProviderFailed', message: installFault(group) ?? '' }
      : undefined;
  const events = [
    ...operationEvents.toReversed(),
    ...newestFirst(group.events),
    ...newestFirst(containerEvents(group)),
  ];
  for (const { kind, reason, matches } of kinds) {
    const event = events.find(({ name, message }) => matches.test(`${name} ${message}`));
    if (event !== undefined) return { kind, reason, message: sentence(event) };
  }
  const warning =
    [...group.events, ...containerEvents(group)].findLast(({ type }) => type === 'Warning') ?? operationEvents.at(-1);
  const message =
    warning === undefined
      ? `The container group's provisioning ended as ${group.provisioningState}, without a reason.`
      : sentence(warning);
  return { kind: 'unknown', reason: 'ProviderFailed', message: `${message}${hintOf(message)}` };
}

/** ARM names no cause of a group that only waited; a subnet without a free address is the one that nothing else shows. */
const hintOf = (message: string): string =>
  /not provisioned in time|provisioning.{0,40}timed? ?out/i.test(message)
    ? ' In a subnet this is how a lack of free addresses looks: doctor counts them; use a larger subnet, or end what is not needed.'
    : '';

const containerEvents = (group: GroupObservation): readonly GroupEvent[] =>
  [...group.initContainers, ...group.containers].flatMap(({ instanceView }) => instanceView?.events ?? []);

const newestFirst = (events: readonly GroupEvent[]): readonly GroupEvent[] =>
  events.toSorted((a, b) => (instantMs(b.lastTimestamp) ?? 0) - (instantMs(a.lastTimestamp) ?? 0));

const sentence = ({ name, message }: { readonly name: string; readonly message: string }): string =>
  message === '' ? name : message;
