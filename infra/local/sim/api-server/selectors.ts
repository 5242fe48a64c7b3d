/** Field and label selectors, as lists, watches and nodes use them. */
import type { Json, JsonObject } from '../../../../shared/core/json.ts';
import { labelsOf, objectAt, textAt, valueAt } from './json-access.ts';
import { badRequest, done, refuse } from './status-error.ts';
import type { StatusResult } from './status-error.ts';
import { configMaps, events, namespaces, nodes, pods, secrets } from './resources.ts';
import type { Resource } from './resources.ts';

export interface FieldRequirement {
  readonly field: string;
  readonly isEqual: boolean;
  readonly value: string;
}

export interface LabelRequirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values: readonly string[];
}

export interface Selection {
  readonly fields: readonly FieldRequirement[];
  readonly labels: readonly LabelRequirement[];
}

export const everything: Selection = { fields: [], labels: [] };

const involved = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];
const ofKind = new Map<Resource, readonly string[]>([
  [
    pods,
    [
      'spec.nodeName',
      'spec.restartPolicy',
      'spec.schedulerName',
      'spec.serviceAccountName',
      'spec.hostNetwork',
      'status.phase',
      'status.podIP',
      'status.nominatedNodeName',
    ],
  ],
  [nodes, ['spec.unschedulable']],
  [namespaces, ['status.phase']],
  [secrets, ['type']],
  [configMaps, []],
  [events, [...involved.map((name) => `involvedObject.${name}`), 'reason', 'type', 'source', 'reportingComponent']],
]);
const booleans = new Set(['spec.unschedulable', 'spec.hostNetwork']);

/** The selection of a query, or 400 in the server's words. */
export function parseSelection(resource: Resource, fieldSelector = '', labelSelector = ''): StatusResult<Selection> {
  const fields = parseFields(fieldSelector);
  if (fields === undefined) return refuse(badRequest(`unable to parse field selector: ${fieldSelector}`));
  const known = ['metadata.name', 'metadata.namespace', ...(ofKind.get(resource) ?? [])];
  const unknown = fields.find(({ field }) => !known.includes(field));
  if (unknown !== undefined) return refuse(badRequest(`field label not supported: ${unknown.field}`));
  const labels = parseLabels(labelSelector);
  if (labels === undefined) return refuse(badRequest(`unable to parse requirement: ${labelSelector}`));
  return done({ fields, labels });
}

export const matches = (object: JsonObject, { fields, labels }: Selection): boolean =>
  fields.every((requirement) => matchesField(object, requirement)) &&
  (labels.length === 0 || matchesLabels(labelsOf(object), labels));

const matchesLabels = (labels: JsonObject, requirements: readonly LabelRequirement[]): boolean =>
  requirements.every((requirement) => matchesLabel(labels[requirement.key], requirement));

function matchesField(object: JsonObject, { field, isEqual, value }: FieldRequirement): boolean {
  return (fieldOf(object, field) === value) === isEqual;
}

function fieldOf(object: JsonObject, field: string): string {
  if (field === 'source')
    return textAt(objectAt(object, 'source'), 'component') || textAt(object, 'reportingComponent');
  const value = valueAt(object, field.split('.'));
  if (typeof value === 'string') return value;
  return booleans.has(field) ? String(value === true) : '';
}

function matchesLabel(value: Json | undefined, { operator, values }: LabelRequirement): boolean {
  switch (operator) {
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'In':
      return typeof value === 'string' && values.includes(value);
    case 'NotIn':
      return typeof value !== 'string' || !values.includes(value);
  }
}

/** `a=b,c!=d`; a backslash escapes a comma, an equals sign, or itself. */
export function parseFields(text: string): readonly FieldRequirement[] | undefined {
  if (text === '') return [];
  const terms = text.match(/(?:\\.|[^,\\])+/g) ?? [];
  const requirements: FieldRequirement[] = [];
  for (const term of terms) {
    const [, field, operator, value = ''] = /^\s*([A-Za-z.]+)(!=|==|=)((?:\\[\\,=]|[^\\,=])*)$/.exec(term) ?? [];
    if (field === undefined) return undefined;
    requirements.push({ field, isEqual: operator !== '!=', value: value.replaceAll(/\\(.)/g, '$1') });
  }
  return requirements;
}

const labelKey = String.raw`([A-Za-z0-9][A-Za-z0-9._/-]*)`;
const labelValue = '[A-Za-z0-9._-]*';
const setTerm = new RegExp(`^${labelKey}\\s+(in|notin)\\s+\\(([^()]*)\\)$`);
const equalTerm = new RegExp(`^${labelKey}\\s*(!=|==|=)\\s*(${labelValue})$`);
const presentTerm = new RegExp(`^(!?)\\s*${labelKey}$`);

/** `a=b,c!=d,e in (f,g),h notin (i),j,!k`. */
export function parseLabels(text: string): readonly LabelRequirement[] | undefined {
  if (text.trim() === '') return [];
  const requirements: LabelRequirement[] = [];
  for (const term of text.split(/,(?![^(]*\))/).map((one) => one.trim())) {
    const requirement = labelTerm(term);
    if (requirement === undefined) return undefined;
    requirements.push(requirement);
  }
  return requirements;
}

function labelTerm(term: string): LabelRequirement | undefined {
  const inSet = setTerm.exec(term);
  if (inSet !== null) {
    const values = (inSet[3] ?? '').split(',').map((value) => value.trim());
    return { key: inSet[1] ?? '', operator: inSet[2] === 'in' ? 'In' : 'NotIn', values };
  }
  const equal = equalTerm.exec(term);
  if (equal !== null)
    return { key: equal[1] ?? '', operator: equal[2] === '!=' ? 'NotIn' : 'In', values: [equal[3] ?? ''] };
  const present = presentTerm.exec(term);
  if (present === null) return undefined;
  return { key: present[2] ?? '', operator: present[1] === '!' ? 'DoesNotExist' : 'Exists', values: [] };
}
