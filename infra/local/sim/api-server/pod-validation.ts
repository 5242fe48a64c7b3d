/** What makes a pod a bad one: enough to refuse a wrong manifest by the field's name, not all that Kubernetes checks. */
import { isJsonObject } from '../../../../shared/core/json.ts';
import type { JsonObject } from '../../../../shared/core/json.ts';
import { parsePod } from '../../../../shared/wire/pod.ts';
import { isSame, numberAt, objectAt, objectsAt, specOf, textAt, withMeta } from './json-access.ts';
import type { FieldFault } from './status-error.ts';
import { duplicate, forbiddenValue, invalidValue, isDnsLabel, required, unsupportedValue } from './validation.ts';

const quantity = /^[+-]?(\d+\.?\d*|\.\d+)(([KMGTPE]i)|[numkMGTPE]|([eE][+-]?\d+))?$/;
const restartPolicies = ['Always', 'OnFailure', 'Never'];
const pullPolicies = ['Always', 'IfNotPresent', 'Never'];
const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];

/** Of a pod with its defaults. */
export function podFaults(pod: JsonObject): readonly FieldFault[] {
  const spec = specOf(pod);
  if (pod['spec'] !== undefined && !isJsonObject(pod['spec']))
    return [invalidValue('spec', pod['spec'], 'must be an object')];
  const volumes = objectsAt(spec, 'volumes').map((volume) => textAt(volume, 'name'));
  const containers = objectsAt(spec, 'containers');
  const all = [
    ...containers.map((container, index) => ({ container, field: `spec.containers[${index}]` })),
    ...objectsAt(spec, 'initContainers').map((container, index) => ({
      container,
      field: `spec.initContainers[${index}]`,
    })),
  ];
  const found = [
    ...volumes.flatMap((name, index) =>
      nameFaults(`spec.volumes[${index}].name`, name, volumes.indexOf(name) !== index),
    ),
    ...(containers.length === 0 ? [required('spec.containers')] : []),
    ...all.flatMap(({ container, field }, index) => [
      ...nameFaults(
        `${field}.name`,
        textAt(container, 'name'),
        all.findIndex((one) => textAt(one.container, 'name') === textAt(container, 'name')) !== index,
      ),
      ...containerFaults(container, field, volumes),
    ]),
    ...oneOf('spec.restartPolicy', textAt(spec, 'restartPolicy'), restartPolicies),
    ...oneOf('spec.dnsPolicy', textAt(spec, 'dnsPolicy'), dnsPolicies),
    ...secondsFaults(spec),
  ];
  return found.length > 0 ? found : shapeFaults(pod);
}

function secondsFaults(spec: JsonObject): readonly FieldFault[] {
  const grace = numberAt(spec, 'terminationGracePeriodSeconds') ?? 0;
  const deadline = numberAt(spec, 'activeDeadlineSeconds');
  return [
    ...(grace < 0
      ? [invalidValue('spec.terminationGracePeriodSeconds', grace, 'must be greater than or equal to 0')]
      : []),
    ...(deadline !== undefined && (deadline < 1 || deadline > 2_147_483_647)
      ? [invalidValue('spec.activeDeadlineSeconds', deadline, 'must be between 1 and 2147483647, inclusive')]
      : []),
  ];
}

const oneOf = (field: string, value: string, known: readonly string[]): readonly FieldFault[] =>
  known.includes(value) ? [] : [unsupportedValue(field, value, known)];

function nameFaults(field: string, name: string, isTaken: boolean): readonly FieldFault[] {
  if (name === '') return [required(field)];
  if (isTaken) return [duplicate(field, name)];
  return isDnsLabel(name)
    ? []
    : [
        invalidValue(
          field,
          name,
          "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
        ),
      ];
}

function containerFaults(container: JsonObject, field: string, volumes: readonly string[]): readonly FieldFault[] {
  const mounts = objectsAt(container, 'volumeMounts');
  return [
    ...(textAt(container, 'image').trim() === '' ? [required(`${field}.image`)] : []),
    ...oneOf(`${field}.imagePullPolicy`, textAt(container, 'imagePullPolicy'), pullPolicies),
    ...objectsAt(container, 'env').flatMap((variable, index) =>
      textAt(variable, 'name') === '' ? [required(`${field}.env[${index}].name`)] : [],
    ),
    ...objectsAt(container, 'ports').flatMap((port, index) => {
      const number = numberAt(port, 'containerPort') ?? 0;
      return number >= 1 && number <= 65_535
        ? []
        : [invalidValue(`${field}.ports[${index}].containerPort`, number, 'must be between 1 and 65535, inclusive')];
    }),
    ...mounts.flatMap((mount, index) => [
      ...(volumes.includes(textAt(mount, 'name'))
        ? []
        : [
            {
              field: `${field}.volumeMounts[${index}].name`,
              reason: 'FieldValueInvalid' as const,
              message: `Not found: ${JSON.stringify(textAt(mount, 'name'))}`,
            },
          ]),
      ...(textAt(mount, 'mountPath') === '' ? [required(`${field}.volumeMounts[${index}].mountPath`)] : []),
      ...(mounts.findIndex((one) => textAt(one, 'mountPath') === textAt(mount, 'mountPath')) === index
        ? []
        : [invalidValue(`${field}.volumeMounts[${index}].mountPath`, textAt(mount, 'mountPath'), 'must be unique')]),
    ]),
    ...['limits', 'requests'].flatMap((kind) =>
      Object.entries(objectAt(objectAt(container, 'resources'), kind)).flatMap(([name, value]) =>
        typeof value === 'number' || (typeof value === 'string' && quantity.test(value))
          ? []
          : [
              invalidValue(
                `${field}.resources.${kind}[${name}]`,
                value,
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
              ),
            ],
      ),
    ),
  ];
}

/** A member of a wrong type: the real server does not even decode it. */
const shapeFaults = (pod: JsonObject): readonly FieldFault[] =>
  isPodShaped(pod) ? [] : [invalidValue('spec', '…', 'a member has not the type that the API reference gives it')];

/** Whether what is read of a pod has the right types. */
export const isPodShaped = (pod: JsonObject): boolean =>
  parsePod(withMeta(pod, { uid: 'u', namespace: 'n', name: 'n' })) !== undefined;

/** What may change in the spec of a pod that exists; undefined when the change is allowed. */
export function podUpdateFault(before: JsonObject, after: JsonObject): FieldFault | undefined {
  const tolerations = objectsAt(specOf(after), 'tolerations');
  const isLacking = objectsAt(specOf(before), 'tolerations').some(
    (one) => !tolerations.some((other) => isSame(one, other)),
  );
  const differing = isLacking || !isSame(fixedPart(specOf(before)), fixedPart(specOf(after)));
  return differing
    ? forbiddenValue(
        'spec',
        'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
      )
    : undefined;
}

function fixedPart(spec: JsonObject): JsonObject {
  const withoutImage = (list: string): readonly JsonObject[] =>
    objectsAt(spec, list).map((container) => ({ ...container, image: '' }));
  const { activeDeadlineSeconds: _, tolerations: __, ...rest } = spec;
  return { ...rest, containers: withoutImage('containers'), initContainers: withoutImage('initContainers') };
}
