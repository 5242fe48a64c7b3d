/**
 * The compatibility table (rule 8 of docs/architecture.md): what becomes of each field of `PodSpec` of Kubernetes 1.36. It is the one
 * source of `docs/compatibility.md` and of the judgement on a pod; a field that is not in it is refused by name.
 */
import { annotationReaders, otherAnnotations } from './annotations/readers.ts';
import { containerFields, initContainerFields } from './compatibility/container-fields.ts';
import type { FieldRule } from './compatibility/field-rule.ts';
import { podFields } from './compatibility/pod-fields.ts';
import { podSecurityFields } from './compatibility/security-fields.ts';
import { volumeFields } from './compatibility/volume-fields.ts';

export type { FieldRule, Verdict } from './compatibility/field-rule.ts';

export const compatibilityTable: readonly FieldRule[] = [
  ...podFields,
  ...podSecurityFields,
  ...containerFields,
  ...initContainerFields,
  ...volumeFields,
];

/** The table as a tree: a node with a rule covers all below it. */
export interface FieldTree {
  rule?: FieldRule;
  readonly children: Map<string, FieldTree>;
}

/** `spec.containers[].name` → `spec`, `containers`, `[]`, `name`. */
const segments = (path: string): readonly string[] => path.replaceAll('[]', '.[]').split('.');

function insert(root: FieldTree, rule: FieldRule): void {
  let node = root;
  for (const segment of segments(rule.path)) {
    const next: FieldTree = node.children.get(segment) ?? { children: new Map() };
    node.children.set(segment, next);
    node = next;
  }
  node.rule = rule;
}

export function fieldTree(table: readonly FieldRule[]): FieldTree {
  const root: FieldTree = { children: new Map() };
  for (const rule of table) insert(root, rule);
  return root;
}

/** Annotations that a pod may carry, and what they mean. A name below our prefix that is not here is a typo, and refused. */
export const knownAnnotations: ReadonlyMap<string, string> = new Map([
  ...annotationReaders.flatMap(({ names: [name, ...others], meaning }) => [
    [name, meaning] as const,
    ...others.map((other) => [other, `the same as \`${name}\``] as const),
  ]),
  ...otherAnnotations.map(({ name, meaning }) => [name, meaning] as const),
]);
