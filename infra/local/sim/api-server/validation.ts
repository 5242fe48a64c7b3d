/** Names and labels, as every kind has to have them. */
import type { JsonObject } from '../../../../shared/core/json.ts';
import { metaOf, objectAt, textAt } from './json-access.ts';
import type { FieldFault } from './status-error.ts';
import { namespaces, services } from './resources.ts';
import type { Resource } from './resources.ts';

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const qualifiedNamePart = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;

export const isDnsLabel = (text: string): boolean => text.length <= 63 && label.test(text);
const isDnsSubdomain = (text: string): boolean => text.length <= 253 && subdomain.test(text);

export const required = (field: string, why = ''): FieldFault => ({
  field,
  reason: 'FieldValueRequired',
  message: why === '' ? 'Required value' : `Required value: ${why}`,
});

export const invalidValue = (field: string, value: unknown, why: string): FieldFault => ({
  field,
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value) ?? 'null'}: ${why}`,
});

export const forbiddenValue = (field: string, why: string): FieldFault => ({
  field,
  reason: 'FieldValueForbidden',
  message: `Forbidden: ${why}`,
});

export const unsupportedValue = (field: string, value: unknown, known: readonly string[]): FieldFault => ({
  field,
  reason: 'FieldValueNotSupported',
  message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${known.map((one) => `"${one}"`).join(', ')}`,
});

export const duplicate = (field: string, value: string): FieldFault => ({
  field,
  reason: 'FieldValueDuplicate',
  message: `Duplicate value: ${JSON.stringify(value)}`,
});

const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
const labelRule =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";

/** What is wrong with an object's metadata. */
export function metadataFaults(resource: Resource, object: JsonObject): readonly FieldFault[] {
  const meta = metaOf(object);
  const name = textAt(meta, 'name');
  return [
    ...nameFaults(resource, name),
    ...Object.entries(objectAt(meta, 'labels')).flatMap(([key, value]) => [
      ...keyFaults('metadata.labels', key),
      ...(typeof value === 'string' && value.length <= 63 && labelValue.test(value)
        ? []
        : [
            invalidValue(
              'metadata.labels',
              value,
              "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', at most 63",
            ),
          ]),
    ]),
    ...Object.entries(objectAt(meta, 'annotations')).flatMap(([key, value]) => [
      ...keyFaults('metadata.annotations', key),
      ...(typeof value === 'string' ? [] : [invalidValue('metadata.annotations', value, 'must be a string')]),
    ]),
  ];
}

function nameFaults(resource: Resource, name: string): readonly FieldFault[] {
  if (name === '') return [required('metadata.name', 'name or generateName is required')];
  if (resource.group === 'rbac.authorization.k8s.io') return [];
  const isLabel = resource === namespaces || resource === services;
  if (isLabel) return isDnsLabel(name) ? [] : [invalidValue('metadata.name', name, labelRule)];
  return isDnsSubdomain(name) ? [] : [invalidValue('metadata.name', name, subdomainRule)];
}

/** What is wrong with the key of a label, an annotation or a taint. */
export function keyFaults(field: string, key: string): readonly FieldFault[] {
  const parts = key.split('/');
  const name = parts.at(-1) ?? '';
  const prefix = parts.length === 2 ? parts[0] : undefined;
  const isFine =
    parts.length <= 2 &&
    name.length <= 63 &&
    qualifiedNamePart.test(name) &&
    (prefix === undefined || isDnsSubdomain(prefix.toLowerCase()));
  return isFine
    ? []
    : [
        invalidValue(
          field,
          key,
          "a qualified name must consist of alphanumeric characters, '-', '_' or '.', with an optional DNS subdomain prefix and '/'",
        ),
      ];
}
