import type { GroupBody } from '../group/group.ts';
import { maxBodyBytes } from './expansion.ts';
import { refuse } from './evaluation.ts';
import type { Part } from './group-containers.ts';
import type { Refusal } from './translation.ts';
import { bodyTooLarge } from './volume-files.ts';

type Length = (part: Part) => number;

const textLength = (text: string | { readonly template: string }): number =>
  typeof text === 'string' ? text.length : text.template.length;

/** Of all words and variables of a container, whoever carries them. */
const lengthOf: Length = ({ container, wrapped }) => {
  let length = 0;
  for (const word of container.command ?? []) length += word.length;
  for (const { value, secureValue } of container.environmentVariables) length += (value ?? secureValue ?? '').length;
  const { argv = [], env = [] } = wrapped?.orders.program ?? {};
  for (const word of argv) length += textLength(word);
  for (const variable of env) length += 'value' in variable ? textLength(variable.value) : 0;
  return length;
};

const total = (parts: readonly Part[]): number => parts.reduce((sum, part) => sum + lengthOf(part), 0);

/** More than a request may have could be more than a string can hold, so this is asked before one is made. */
export const largeText = (parts: readonly Part[]): Refusal | undefined =>
  total(parts) <= maxBodyBytes
    ? undefined
    : refuse(
        'spec.containers',
        'with what they refer to, commands and variables are larger than the 4 MB that ARM takes',
      );

/** A group is too large by its files, or, half of it in base64, by what the agent has to know of its containers. */
export function largeBody(body: GroupBody, parts: readonly Part[]): Refusal | undefined {
  if (Buffer.byteLength(JSON.stringify(body)) <= maxBodyBytes) return undefined;
  const wrapped = parts.filter((part) => part.wrapped !== undefined);
  const [largest] = wrapped.toSorted((left, right) => lengthOf(right) - lengthOf(left));
  if (largest === undefined || (total(wrapped) * 4) / 3 < maxBodyBytes / 2) return bodyTooLarge;
  const field = `spec.${largest.member}[${largest.index}]`;
  return refuse(field, 'its command and variables make the group larger than the 4 MB that ARM takes');
}
