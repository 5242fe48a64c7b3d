import type { AgentGift } from '../agent/tier.ts';
import { isJsonObject } from '../json.ts';
import type { Json, JsonObject } from '../json.ts';
import { compatibilityTable, fieldTree } from './compatibility.ts';
import type { FieldRule, FieldTree } from './compatibility.ts';
import { unreachable } from './evaluation.ts';

/** One field of a pod that is not simply sent or of no concern. */
export interface Finding {
  /** As a Kubernetes field path: `spec.containers[0].livenessProbe`. */
  readonly path: string;
  readonly verdict: 'emulated' | 'met' | 'noted' | 'refused';
  readonly reason: string;
  readonly refusalReason: string | undefined;
  /** What the agent makes of it. */
  readonly agent: AgentGift | undefined;
}

const tree = fieldTree(compatibilityTable);

/** Objects of empty members are empty too, but nobody writes them deeper than this. */
const emptyDepth = 4;

function isEmpty(value: Json | undefined, depth = 0): boolean {
  if (value === null || value === undefined || value === '') return true;
  if (isJsonObject(value))
    return depth < emptyDepth && Object.values(value).every((member) => isEmpty(member, depth + 1));
  return Array.isArray(value) && value.length === 0;
}

const includes = (values: readonly Json[] | undefined, value: Json): boolean => values?.includes(value) ?? false;

function judge(rule: FieldRule, path: string, value: Json): Finding | undefined {
  if (includes(rule.harmless, value)) return undefined;
  const { refusalReason } = rule;
  const agent = (rule.agentWhen?.(value) ?? true) ? rule.agent : undefined;
  if (rule.only !== undefined && !includes(rule.only, value))
    return { path, verdict: 'refused', reason: rule.otherwise ?? rule.reason, refusalReason, agent };
  switch (rule.verdict) {
    case 'emulated':
    case 'met':
    case 'noted':
    case 'refused':
      return { path, verdict: rule.verdict, reason: rule.reason, refusalReason, agent };
    case 'sent':
    case 'ignored':
      return undefined;
    default:
      return unreachable(rule.verdict);
  }
}

const join = (path: string, key: string): string =>
  /^[A-Za-z0-9-]+$/.test(key) ? `${path}.${key}` : `${path}[${key}]`;

const unknownField = (path: string): Finding => ({
  path,
  verdict: 'refused',
  reason: 'this version does not know the field',
  refusalReason: undefined,
  agent: undefined,
});

function walk(value: Json | undefined, path: string, node: FieldTree | undefined): readonly Finding[] {
  if (value === undefined || isEmpty(value)) return [];
  if (node === undefined) return [unknownField(path)];
  if (node.rule !== undefined) return [judge(node.rule, path, value)].filter((finding) => finding !== undefined);
  if (Array.isArray(value))
    return value.flatMap((item, index) => walk(item, `${path}[${index}]`, node.children.get('[]')));
  if (!isJsonObject(value)) return [unknownField(path)];
  return Object.entries(value).flatMap(([key, member]) =>
    walk(member, join(path, key), node.children.get(key) ?? node.children.get('*')),
  );
}

/** All fields of a spec that are emulated, met, noted or refused, in the order in which the spec has them. */
export const walkSpec = (rawSpec: JsonObject): readonly Finding[] => walk(rawSpec, 'spec', tree.children.get('spec'));
