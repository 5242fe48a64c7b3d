import type { Fault } from '../../core/fault.ts';
import { parseError } from '../../wire/arm/answers.ts';
import { parseJson } from '../../wire/json-text.ts';

/** What a request was about: the same status means different things (docs/aci.md, Refusals). */
export type ArmAction =
  | 'list'
  | 'get'
  | 'create'
  | 'delete'
  | 'stop'
  | 'logs'
  | 'exec'
  | 'attach'
  | 'operation'
  | 'usages'
  | 'metrics';

export interface ArmAnswer {
  readonly status: number;
  readonly body: string;
  header(name: string): string | undefined;
}

const maxMessageLength = 500;
/** A refusal names the missing action after two ids and the group's: it must not be cut off. */
const maxRefusalLength = 900;
const defaultRetryAfterMs = 10_000;
/** ACI's longest window: whoever says more says nothing, and its word would stop every instance. */
const longestRetryAfterMs = 3_600_000;
/** Some are joined with others, so they are looked for within what ARM says, without case; the first found counts. */
const capacityCodes = ['ContainerGroupQuotaReached', 'InsufficientCapacity', 'SubnetIsFull'] as const;
const conflictCodes = ['ContainerGroupTransitioning', 'RegistryErrorResponse'] as const;
/** Faults of configuration: an operator must act, and the same request may succeed afterwards. */
const operatorCodes = [
  'SubscriptionNotFound',
  'MissingSubscriptionRegistration',
  'ResourceGroupBeingDeleted',
  'ScopeLocked',
  'RequestDisallowedByPolicy',
  'AuthorizationFailed',
  'LinkedAuthorizationFailed',
  'NoRegisteredProviderFound',
  'LocationNotAvailableForResourceType',
  'InvalidApiVersionParameter',
  'InvalidResourceType',
  'InvalidImageRegistryIdentity',
  'SubnetMissingRequiredDelegation',
  'SubnetDelegationsCannotChange',
  'VirtualNetworkNotFound',
  'SubnetNotFound',
] as const;
/**
 * For good: each is known from Azure's documentation or from recorded answers to speak of the body, which is made from
 * the pod and will be the same next time. Whatever is not here waits: a pod that waits in vain can be read and deleted,
 * one that was failed by mistake is lost.
 */
const permanentCodes = [
  'AmbiguousImageResitryCredentialType',
  'ConfidentialContainerGroupSkuIsNotSupported',
  'ContainerLimitGreaterThanContainerGroupTotalRequest',
  'InvalidContainerEnvironmentVariable',
  'InvalidContainerGroupUpdate',
  'InvalidImageRegistryCredentialType',
  'InvalidOsType',
  'InvalidRequestContent',
  'InvalidResourceName',
  'MissingIpAddressPorts',
  'OsVersionNotSupported',
  'PriorityNotSpecified',
  'RequestContentTooLarge',
  'ResourceRequestsNotSpecified',
  'ResourceRequestsNotSupported',
  'ResourceSomeRequestsNotSpecified',
  'SpotPriorityContainerGroupNotSupportedForInboundConnectivity',
  'SpotPriorityContainerGroupNotSupportedInSku',
  'SpotPriorityContainerGroupWithGPUResourcesNotSupported',
] as const;
/** Names what is wrong where a vaguer code is beside it. */
const imageCode = 'InaccessibleImage';
const goneCodes = /^(resourcegroup|containergroup|resource)?notfound$/i;

/** The fault of an answer that is no success. */
export function answerFault(answer: ArmAnswer, action: ArmAction): Fault {
  const error = parseError(parseJson(answer.body));
  const reason = error?.message ?? `ARM answered ${answer.status} without a reason.`;
  const message = cut(reason);
  const codes = (error?.codes ?? []).map((code) => cut(code));
  const { status } = answer;
  if (status === 429) return { kind: 'throttled', retryAfterMs: retryAfterMs(answer), message };
  if (status === 401 || status === 403)
    return { kind: 'denied', code: codes[0] ?? String(status), message: cut(reason, maxRefusalLength) };
  // A page of HTML is from somebody between us and ARM, who cannot say what became of the request.
  const definite = status >= 400 && status < 500 && status !== 408 && error !== undefined;
  return definite
    ? definiteFault({ status, codes, message }, action)
    : { kind: 'transient', message: `HTTP ${status}: ${message}` };
}

interface DefiniteError {
  readonly status: number;
  readonly codes: readonly string[];
  readonly message: string;
}

function definiteFault(error: DefiniteError, action: ArmAction): Fault {
  const { status, codes, message } = error;
  const named = (known: readonly string[]): string | undefined => known.find((code) => includes(codes, code));
  const capacity = named(capacityCodes) ?? (status === 409 ? named(['ServiceUnavailable']) : undefined);
  if (capacity !== undefined) return { kind: 'capacity', code: capacity, message };
  const conflict = named(conflictCodes);
  if (conflict !== undefined) return { kind: 'conflict', code: conflict, message };
  const operator = named(operatorCodes);
  if (operator !== undefined) return { kind: 'denied', code: operator, message };
  const permanent = permanentCodes.find((code) => isAmong(codes, code));
  const code = named([imageCode]) ?? permanent ?? codes[0] ?? '';
  if (status === 404) return absenceFault(code, message, action);
  if (status === 409 || status === 412) return { kind: 'conflict', code, message };
  return { kind: 'rejected', code, message, ...(code === permanent ? { isPermanent: true } : {}) };
}

/** By the whole word, since a longer code may mean something else. */
const isAmong = (codes: readonly string[], known: string): boolean =>
  codes.some((code) => code.split(/\W+/).some((word) => word.toLowerCase() === known.toLowerCase()));

/** Absence is believed only from the codes that mean it: what is taken for gone is never started again. */
function absenceFault(code: string, message: string, action: ArmAction): Fault {
  switch (action) {
    case 'create':
      // Only the resource group can be missing: configuration.
      return { kind: 'denied', code, message };
    case 'get':
    case 'delete':
    case 'stop':
    case 'list':
      if (goneCodes.test(code)) return { kind: 'not-found', code, message };
      return { kind: 'transient', message: `HTTP 404 ${code}: ${message}` };
    case 'logs':
    case 'exec':
    case 'attach':
    case 'operation':
    case 'usages':
    case 'metrics':
      break;
  }
  return { kind: 'not-found', code, message };
}

const includes = (codes: readonly string[], known: string): boolean =>
  codes.some((code) => code.toLowerCase().includes(known.toLowerCase()));

/** Retry-After in its three forms, at most an hour; a date is read against the answer's own. */
export const retryAfterMs = (answer: ArmAnswer): number => Math.min(longestRetryAfterMs, givenRetryAfterMs(answer));

function givenRetryAfterMs(answer: ArmAnswer): number {
  for (const name of ['retry-after-ms', 'x-ms-retry-after-ms']) {
    const ms = positive(answer.header(name));
    if (ms !== undefined) return ms;
  }
  const header = answer.header('retry-after');
  const seconds = positive(header);
  if (seconds !== undefined) return seconds * 1000;
  const fromDate = Date.parse(header ?? '') - Date.parse(answer.header('date') ?? '');
  return Number.isFinite(fromDate) && fromDate > 0 ? fromDate : defaultRetryAfterMs;
}

function positive(header: string | undefined): number | undefined {
  const value = header === undefined || header.trim() === '' ? Number.NaN : Number(header);
  return Number.isFinite(value) && value >= 0 ? value : undefined;
}

const credentialErrors =
  /^(AuthenticationError|AuthenticationRequiredError|AggregateAuthenticationError|CredentialUnavailableError)$/;

/**
 * What was thrown instead of an answer: a lost connection, a time-out, a token that could not be had. A refused token
 * is `denied`; all else `transient`: nobody knows whether the request arrived.
 */
export function thrownFault(error: unknown): Fault {
  if (!(error instanceof Error)) return { kind: 'transient', message: cut(String(error)) };
  const message = cut(`${error.name}: ${error.message}`);
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : undefined;
  const refused = status !== undefined && status >= 400 && status < 500 && status !== 429 && status !== 408;
  if (credentialErrors.test(error.name) && refused) return { kind: 'denied', code: error.name, message };
  return { kind: 'transient', message };
}

/** One line of whole characters, for logs and events. */
const cut = (message: string, length = maxMessageLength): string =>
  message
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, length)
    .toWellFormed();
