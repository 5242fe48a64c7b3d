/**
 * What the chart's admission policy warns of, made from the compatibility table: each field that is refused with the agent
 * too, as a CEL expression that is true for an offender. Pure.
 */
import { annotationPrefix, virtualNodePrefix } from '../../../shared/core/pod/annotations/readers.ts';
import { compatibilityTable, knownAnnotations } from '../../../shared/core/pod/compatibility.ts';
import type { FieldRule } from '../../../shared/core/pod/compatibility.ts';
import type { Json } from '../../../shared/core/json.ts';

/** One warning of the policy. */
export interface Refusal {
  /** The path of the table; several where containers and init containers share a rule. */
  readonly fields: readonly string[];
  /** The policy's variable whose items are judged; absent: the pod itself. */
  readonly list?: 'containers' | 'volumes';
  /** Appended to the path of the item, or to the pod's. */
  readonly path: string;
  /** CEL over `x` (an item: `{at, init, it}`), or over the policy's variables where there is no list. */
  readonly offends: string;
  readonly reason: string;
}

const containerPrefixes = { containers: 'spec.containers[].', initContainers: 'spec.initContainers[].' } as const;
const volumePrefix = 'spec.volumes[].';

const text = (value: string): string => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** Lists of several types have to be dynamic. */
const literal = (value: Json): string => `dyn(${typeof value === 'string' ? text(value) : JSON.stringify(value)})`;

const listOf = (values: readonly Json[]): string => `[${values.map(literal).join(', ')}]`;

/** `a.b` of `root`, as an optional value: no member needs to be there. */
const member = (root: string, path: string): string => `${root}.?${path.split('.').join('.?')}`;

/** The values with which the field passes; `variables.nothing` are the empty ones. */
function passing({ harmless, only }: FieldRule): string {
  const values = [...(harmless ?? []), ...(only ?? [])];
  return values.length === 0 ? 'variables.nothing' : `variables.nothing + ${listOf(values)}`;
}

/** True for a `root` in which `path` holds something that the rule refuses. */
function offence(root: string, path: string, rule: FieldRule): string {
  const list = /^([^[]*)\[\]\.?(.*)$/.exec(path);
  if (list !== null) {
    const [, head = '', rest = ''] = list;
    const item = root === 'item' ? 'inner' : 'item';
    const inner = rest === '' ? `!(${item} in ${passing(rule)})` : offence(item, rest, rule);
    return `${member(root, head)}.orValue([]).exists(${item}, ${inner})`;
  }
  if (path.endsWith('.*')) return wildcardOffence(root, path.slice(0, -2), rule);
  return `!(${member(root, path)}.orValue('') in ${passing(rule)})`;
}

/** Any key that the table does not name beside the wildcard. */
function wildcardOffence(root: string, path: string, rule: FieldRule): string {
  const prefix = rule.path.slice(0, -1);
  const named = compatibilityTable
    .map((other) => other.path)
    .filter((other) => other.startsWith(prefix) && other !== rule.path)
    .map((other) => other.slice(prefix.length));
  const map = member(root, path);
  return `${map}.orValue({}).exists(k, !(k in ${listOf(named)}) && !(${map}[?k].orValue('') in ${passing(rule)}))`;
}

/** The chart does not know whether there is an agent: what that gives is no warning. */
const isRefusing = ({ verdict, only, agent }: FieldRule): boolean =>
  (verdict === 'refused' || only !== undefined) && agent?.strength !== 'needs';

const reasonOf = ({ only, otherwise, reason }: FieldRule): string =>
  only === undefined ? reason : (otherwise ?? reason);

const withoutWildcard = (path: string): string => path.replace(/\.\*$/, '');

function ofVolume(rule: FieldRule): Refusal {
  const path = rule.path.slice(volumePrefix.length);
  return {
    fields: [rule.path],
    list: 'volumes',
    path: `.${path}`,
    offends: offence('x.it', path, rule),
    reason: reasonOf(rule),
  };
}

function ofPod(rule: FieldRule): Refusal {
  const path = rule.path.slice('spec.'.length);
  return {
    fields: [rule.path],
    path: rule.path,
    offends: offence('variables.spec', path, rule),
    reason: reasonOf(rule),
  };
}

/** A rule that both kinds of container have is one warning; one that only one of them has, or has another reason for, is its own. */
function ofContainers(rules: readonly FieldRule[]): readonly Refusal[] {
  const both = Map.groupBy(rules, (rule) => {
    const path = rule.path.slice(rule.path.indexOf('[].') + '[].'.length);
    return JSON.stringify([path, reasonOf(rule)]);
  });
  return [...both.values()].flatMap((group) => {
    const [rule] = group;
    if (rule === undefined) return [];
    const path = rule.path.slice(rule.path.indexOf('[].') + '[].'.length);
    const isInit = rule.path.startsWith(containerPrefixes.initContainers);
    const one = group.length === 1 ? `${isInit ? '' : '!'}x.init && ` : '';
    return [
      {
        fields: group.map((each) => each.path),
        list: 'containers',
        path: `.${withoutWildcard(path)}`,
        offends: `${one}${offence('x.it', path, rule)}`,
        reason: reasonOf(rule),
      },
    ];
  });
}

/** What is refused beyond single fields, as far as an expression sees it. */
const beyondFields: readonly Refusal[] = [
  {
    fields: [],
    list: 'containers',
    path: '.volumeMounts[].mountPath',
    offends: "x.it.?volumeMounts.orValue([]).exists(m, m.mountPath.contains(':'))",
    reason: 'ACI takes no : in the path of a mount',
  },
  {
    fields: [],
    path: 'spec.containers',
    offends: 'variables.containers.size() > 60',
    reason: 'a group takes 60 containers, with the init containers',
  },
  ...[annotationPrefix, virtualNodePrefix].map((prefix) => ({
    fields: [],
    path: 'metadata.annotations',
    offends: `variables.metadata.?annotations.orValue({}).exists(k, k.startsWith(${text(prefix)}) && !(k in ${listOf([...knownAnnotations.keys()].filter((name) => name.startsWith(prefix)))}))`,
    reason: `this version does not know an annotation below ${prefix}`,
  })),
];

/** All warnings, in the order of the table. */
export function refusals(): readonly Refusal[] {
  const rules = compatibilityTable.filter(isRefusing);
  const startsWith = (prefix: string) => (rule: FieldRule) => rule.path.startsWith(prefix);
  const isOfContainer = (rule: FieldRule): boolean =>
    Object.values(containerPrefixes).some((prefix) => startsWith(prefix)(rule));
  const isOfVolume = startsWith(volumePrefix);
  return [
    ...rules.filter((rule) => !isOfContainer(rule) && !isOfVolume(rule)).map(ofPod),
    ...ofContainers(rules.filter(isOfContainer)),
    ...rules.filter(isOfVolume).map(ofVolume),
    ...beyondFields,
  ];
}

/** The text of `infra/cluster/chart/admission/refusals.yaml`. */
export function renderRefusals(): string {
  const items = refusals().map(({ list, path, offends, reason }) =>
    [
      ...(list === undefined
        ? [`  - path: ${JSON.stringify(path)}`]
        : [`  - list: ${list}`, `    path: ${JSON.stringify(path)}`]),
      `    offends: ${JSON.stringify(offends)}`,
      `    reason: ${JSON.stringify(reason)}`,
    ].join('\n'),
  );
  return `${header}refusals:\n${items.join('\n')}\n`;
}

const header = `# What the admission policy warns of, made from shared/core/pod/compatibility.ts (infra/cluster/admission/refusals.ts).
# After a change there: UPDATE_GOLDEN=1 npx vitest run test/infra/chart
`;
