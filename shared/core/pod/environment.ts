import type { LateField } from '../agent/orders.ts';
import type { Container, EnvFromSource, EnvVar, KeySelector, Pod } from '../kubernetes/pod.ts';
import type { ConfigMapData, SecretData } from '../kubernetes/references.ts';
import { expand, isTooLong, tooLong } from './expansion.ts';
import type { EnvValue } from './expansion.ts';
import { fieldValue, lateField } from './field-ref.ts';
import { configError, ok, refuse } from './evaluation.ts';
import type { Evaluation } from './evaluation.ts';
import { own } from './own.ts';
import { resourceFieldValue } from './resource-field.ts';
import type { ResourceScope } from './resource-field.ts';
import { serviceEnvironment } from './service-environment.ts';
import type { NodeFacts, Notice, ResolvedReferences } from './translation.ts';

export interface EnvironmentScope extends ResourceScope {
  readonly pod: Pod;
  readonly facts: NodeFacts;
  readonly resolved: ResolvedReferences;
}

export type Variables = ReadonlyMap<string, EnvValue>;

/** What the agent sets, in order: what only the group knows, and what of the same names comes after it. */
export type LateVariable =
  | { readonly name: string; readonly field: LateField }
  | { readonly name: string; readonly value: EnvValue };

export interface Environment {
  /** In the kubelet's order; names are unique. One that is late is `$(NAME)`: `late` has its value. */
  readonly variables: Variables;
  readonly late: readonly LateVariable[];
  readonly notices: readonly Notice[];
}

const namePattern = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;

/** Any that a process can have. */
const isEnvName = (name: string): boolean => name !== '' && !/[=\0]/.test(name);

/** ACI takes less than Kubernetes: no dots, no dashes, at most 63 characters (docs/aci.md, Limits of a group). */
export const isGroupEnvName = (name: string): boolean => namePattern.test(name);

/** Text of bytes, or undefined when they are not UTF-8: JSON could not carry them. */
function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

const notText = (what: string, name: string, key: string): Evaluation<never> =>
  configError(`key ${key} of ${what} ${name} is not UTF-8 text; mount it as a file`);

function secretValue(name: string, key: string, secret: SecretData): Evaluation<EnvValue | undefined> {
  const bytes = own(secret.data, key);
  if (bytes === undefined) return ok(undefined);
  const value = decode(bytes);
  return value === undefined ? notText('Secret', name, key) : ok({ value, secret: true });
}

function configMapValue(key: string, map: ConfigMapData): EnvValue | undefined {
  const value = own(map.data, key);
  return value === undefined ? undefined : { value, secret: false };
}

interface Found {
  readonly what: 'configmap' | 'secret';
  readonly exists: boolean;
  readonly value: EnvValue | undefined;
}

/** The kubelet's sentences. */
function required(
  { what, exists, value }: Found,
  selector: KeySelector,
  namespace: string,
): Evaluation<EnvValue | undefined> {
  if (value !== undefined || selector.optional) return ok(value);
  if (!exists) return configError(`${what} "${selector.name}" not found`);
  const kind = what === 'secret' ? 'Secret' : 'ConfigMap';
  return configError(`couldn't find key ${selector.key} in ${kind} ${namespace}/${selector.name}`);
}

function secretKey(selector: KeySelector, { pod, resolved }: EnvironmentScope): Evaluation<EnvValue | undefined> {
  const secret = resolved.secrets.get(selector.name);
  const value = secret === undefined ? ok(undefined) : secretValue(selector.name, selector.key, secret);
  if (value.kind !== 'ok') return value;
  return required(
    { what: 'secret', exists: secret !== undefined, value: value.value },
    selector,
    pod.metadata.namespace,
  );
}

function configMapKey(selector: KeySelector, { pod, resolved }: EnvironmentScope): Evaluation<EnvValue | undefined> {
  const map = resolved.configMaps.get(selector.name);
  const value = map === undefined ? undefined : configMapValue(selector.key, map);
  return required({ what: 'configmap', exists: map !== undefined, value }, selector, pod.metadata.namespace);
}

const plain = (value: string | undefined, path: string): Evaluation<EnvValue> =>
  value === undefined
    ? refuse(path, 'it names nothing that is known when the group is created')
    : ok({ value, secret: false });

/** The value of one `env` entry; undefined when it is optional and missing. Only literal values are expanded. */
function variableValue(variable: EnvVar, where: Where, lookup: Lookup): Evaluation<EnvValue | undefined> {
  const { scope, container, path } = where;
  const source = variable.valueFrom;
  if (source === undefined || (variable.value !== undefined && variable.value !== '')) {
    const expanded = expand(variable.value ?? '', lookup);
    return isTooLong(expanded) ? refuse(`${path}.value`, tooLong) : ok(expanded);
  }
  if (source.secretKeyRef) return secretKey(source.secretKeyRef, scope);
  if (source.configMapKeyRef) return configMapKey(source.configMapKeyRef, scope);
  if (source.fieldRef) {
    const options = { hostIP: scope.facts.hostIP, place: 'environment' } as const;
    return plain(fieldValue(scope.pod, source.fieldRef.fieldPath, options), `${path}.valueFrom.fieldRef`);
  }
  if (source.resourceFieldRef === undefined)
    return refuse(`${path}.valueFrom`, 'this version does not know the source');
  const { containerName } = source.resourceFieldRef;
  const { containers, initContainers } = scope.pod.spec;
  const named = [...containers, ...initContainers].find((candidate) => candidate.name === containerName);
  return plain(
    resourceFieldValue(named ?? container, source.resourceFieldRef, scope),
    `${path}.valueFrom.resourceFieldRef`,
  );
}

type Lookup = (name: string) => EnvValue | undefined;

interface Where {
  readonly scope: EnvironmentScope;
  readonly container: Container;
  /** `spec.containers[0].env[2]`. */
  readonly path: string;
}

type Entry = readonly [name: string, value: EnvValue];

function sourceEntries(
  { configMapRef, secretRef }: EnvFromSource,
  resolved: ResolvedReferences,
): Evaluation<readonly Entry[]> {
  if (configMapRef) {
    const map = resolved.configMaps.get(configMapRef.name);
    if (map === undefined && !configMapRef.optional) return configError(`configmap "${configMapRef.name}" not found`);
    return ok(Object.entries(map?.data ?? {}).map(([key, value]): Entry => [key, { value, secret: false }]));
  }
  if (!secretRef) return ok([]);
  const secret = resolved.secrets.get(secretRef.name);
  if (secret === undefined && !secretRef.optional) return configError(`secret "${secretRef.name}" not found`);
  const entries: Entry[] = [];
  for (const key of Object.keys(secret?.data ?? {})) {
    const value = secret === undefined ? ok(undefined) : secretValue(secretRef.name, key, secret);
    if (value.kind !== 'ok') return value;
    if (value.value !== undefined) entries.push([key, value.value]);
  }
  return ok(entries);
}

/** Variables of all `envFrom` sources; a later source wins. Names that are not taken come back apart. */
function fromSources(
  container: Container,
  resolved: ResolvedReferences,
  isTaken: (name: string) => boolean,
): Evaluation<{ variables: Map<string, EnvValue>; skipped: string[] }> {
  const variables = new Map<string, EnvValue>();
  const skipped: string[] = [];
  for (const source of container.envFrom) {
    const entries = sourceEntries(source, resolved);
    if (entries.kind !== 'ok') return entries;
    for (const [key, value] of entries.value) {
      const name = source.prefix + key;
      if (isTaken(name)) variables.set(name, value);
      else skipped.push(name);
    }
  }
  return ok({ variables, skipped });
}

const skippedNotice = (names: readonly string[], path: string): readonly Notice[] =>
  names.length === 0
    ? []
    : [
        {
          type: 'Warning',
          reason: 'InvalidEnvironmentVariableNames',
          message: `${path}: left out because ACI takes letters, digits and _ only, at most 63: ${names.toSorted().join(', ')}`,
        },
      ];

/** What is late is referred to by its name, so that the agent has the value that it gave it last. */
const reference = (name: string, secret: boolean): EnvValue => ({ value: `$(${name})`, secret, late: true });

/** One `env` entry; undefined: it is optional and missing. */
function assignment(
  variable: EnvVar,
  where: Where,
  lookup: Lookup,
  isWrapped: boolean,
): Evaluation<LateVariable | undefined> {
  const { name, value, valueFrom } = variable;
  const field = lateField(valueFrom?.fieldRef?.fieldPath ?? '');
  if (isWrapped && field !== undefined && !value) return ok({ name, field });
  const known = variableValue(variable, where, lookup);
  return known.kind === 'ok' ? ok(known.value && { name, value: known.value }) : known;
}

/** All `env` entries, set over `variables`; what comes back is the agent's part of them. */
function assignAll(
  { scope, container, path }: Where,
  variables: Map<string, EnvValue>,
  lookup: Lookup,
  isWrapped: boolean,
): Evaluation<readonly LateVariable[]> {
  const late: LateVariable[] = [];
  const lateNames = new Set<string>();
  for (const [index, variable] of container.env.entries()) {
    const { name } = variable;
    const where = { scope, container, path: `${path}.env[${index}]` };
    const assigned = assignment(variable, where, lookup, isWrapped);
    if (assigned.kind !== 'ok') return assigned;
    if (assigned.value === undefined) continue;
    const value = 'value' in assigned.value ? assigned.value.value : undefined;
    const isLate = value === undefined || value.late === true;
    if (isLate) lateNames.add(name);
    if (lateNames.has(name)) late.push(assigned.value);
    variables.set(name, isLate ? reference(name, value?.secret ?? false) : value);
  }
  return ok(late);
}

export interface EnvironmentOptions {
  /** The agent starts the program: it sets what ACI does not take, and what only the group knows. */
  readonly isWrapped: boolean;
}

/**
 * The environment of one container in the kubelet's order (pkg/kubelet/envvars, pkg/kubelet/kubelet_pods.go): `envFrom`, `env` with `$(NAME)` over what
 * is already there and the services, then the services that nobody overrode. Waits for what is missing and required.
 */
export function resolveEnvironment(
  scope: EnvironmentScope,
  container: Container,
  path: string,
  { isWrapped }: EnvironmentOptions,
): Evaluation<Environment> {
  const { pod, facts, resolved } = scope;
  const sources = fromSources(container, resolved, isWrapped ? isEnvName : isGroupEnvName);
  if (sources.kind !== 'ok') return sources;
  const { variables, skipped } = sources.value;
  const services = serviceEnvironment(resolved.services, {
    namespace: pod.metadata.namespace,
    enableServiceLinks: pod.spec.enableServiceLinks,
    apiServer: facts.apiServer,
  });
  const lookup: Lookup = (name) => {
    const service = services.get(name);
    return variables.get(name) ?? (service === undefined ? undefined : { value: service, secret: false });
  };
  const late = assignAll({ scope, container, path }, variables, lookup, isWrapped);
  if (late.kind !== 'ok') return late;
  for (const [name, value] of services)
    if (!variables.has(name) && isGroupEnvName(name)) variables.set(name, { value, secret: false });
  return ok({ variables, late: late.value, notices: skippedNotice(skipped, `${path}.envFrom`) });
}
