import type { z } from 'zod';
import { frontDoor } from './errors.ts';
import type { ArmFault } from './errors.ts';
import { groupBody } from './wire.ts';
import type { GroupBody } from './wire.ts';

/** Parses a PUT's JSON. The fault names the first missing or ill-typed property as ARM's deserializer does. */
export function parseGroupBody(value: unknown, length: number): GroupBody | ArmFault {
  const parsed = groupBody.safeParse(value);
  return parsed.success ? parsed.data : frontDoor.invalidContent(describeIssue(parsed.error.issues[0], value, length));
}

function describeIssue(issue: z.core.$ZodIssue | undefined, value: unknown, length: number): string {
  const path = issue?.path ?? [];
  const parent = renderPath(path.slice(0, -1));
  if (lookUp(value, path) === undefined)
    return `Required property '${String(path.at(-1) ?? '')}' not found in JSON. Path '${parent}', line 1, position ${length}.`;
  return `Error converting value. Path '${renderPath(path)}', line 1, position ${length}.`;
}

function renderPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');
}

function lookUp(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((node, part) => {
    if (typeof node !== 'object' || node === null) return undefined;
    return new Map<PropertyKey, unknown>(Object.entries(node)).get(String(part));
  }, value);
}
