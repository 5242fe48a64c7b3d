import { annotationReaders } from './readers.ts';
import type { AnnotationReader } from './readers.ts';
import type { GroupWishes, Wish } from './wishes.ts';

export interface WishFault {
  readonly annotation: string;
  readonly why: string;
}

export interface ReadWishes {
  readonly wishes: GroupWishes;
  /** Which annotation said what; for a message. */
  readonly said: ReadonlyMap<Wish, string>;
  readonly faults: readonly WishFault[];
}

/** Reads the annotations of a pod; what is wrong is in the faults and not among the wishes. */
export function readWishes(annotations: Readonly<Record<string, string>>): ReadWishes {
  const said = new Map<Wish, string>();
  const faults: WishFault[] = [];
  let wishes: GroupWishes = { identities: [] };
  for (const reader of annotationReaders) {
    const [annotation, ...others] = reader.names.filter((name) => annotations[name] !== undefined);
    if (annotation === undefined) continue;
    const value = annotations[annotation] ?? '';
    const read = reader.read(value);
    const other = others.find((name) => annotations[name] !== value);
    if (other !== undefined) faults.push({ annotation: other, why: `${annotation} says something else of the same` });
    if (read === undefined) faults.push({ annotation, why: expectation(reader) });
    else wishes = { ...wishes, ...read };
    said.set(reader.wish, annotation);
  }
  return { wishes, said, faults };
}

const expectation = ({ rule, example }: AnnotationReader): string => `expected ${rule}, such as ${example}`;

/** What the annotations of a pod ask for, as far as it can be read. */
export const wishesOf = (annotations: Readonly<Record<string, string>>): GroupWishes => readWishes(annotations).wishes;
