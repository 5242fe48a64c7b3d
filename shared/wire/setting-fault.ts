import type * as z from 'zod';

/** One fault of one setting. */
export interface SettingFault {
  /** The setting's name, with the path inside it when it holds JSON: `CLUSTERS[0].nodes[1].port`. */
  readonly name: string;
  /** What it must be. */
  readonly expected: string;
}

/** What was read, by its names. */
export type Present = Readonly<Record<string, unknown>>;

/** What is wrong by one issue, and where; `present`: what was read, by its names. Never shows a value. */
export const settingFault = (issue: z.core.$ZodIssue, present: Present): SettingFault => ({
  name: issue.path.length === 0 ? 'registrations' : pathText(issue.path),
  expected: expectation(issue, present),
});

function expectation(issue: z.core.$ZodIssue, present: Present): string {
  const [first] = issue.path;
  const missing = typeof first === 'string' && issue.path.length === 1 && present[first] === undefined;
  if (issue.code === 'unrecognized_keys')
    return `only known members; remove ${issue.keys.slice(0, mostNamed).map(quoted).join(', ')}`;
  if (missing) return 'set it; it is required';
  // An object's schema has no sentence of its own.
  return issue.message.startsWith('Invalid input: expected object') ? 'a JSON object' : issue.message;
}

const mostNamed = 5;
/** Names are shown when they look like names, of members or labels: JSON that was cut or pasted wrongly has others. */
const shortened = (name: string): string => (/^[\w./-]{1,60}$/.test(name) ? name : '…');
const quoted = (name: string): string => `"${shortened(name)}"`;

const pathText = (path: readonly PropertyKey[]): string =>
  path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : index === 0 ? String(part) : `.${shortened(String(part))}`,
    )
    .join('');
