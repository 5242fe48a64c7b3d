/** A value of the environment; `secret` when a Secret is in it, also by expansion (rule 10 of docs/architecture.md). */
export interface EnvValue {
  readonly value: string;
  readonly secret: boolean;
  /** `value` is a template for the agent (`Text` of its orders): something in it is known only inside the group. */
  readonly late?: true;
}

interface Piece extends EnvValue {
  /** Where reading goes on. */
  readonly next: number;
}

type Lookup = (name: string) => EnvValue | undefined;

function readPiece(input: string, at: number, lookup: Lookup): Piece {
  const following = input[at + 1];
  if (following === '$') return { value: '$', secret: false, next: at + 2 };
  const end = following === '(' ? input.indexOf(')', at + 2) : -1;
  if (end < 0) return { value: input.slice(at, at + 2), secret: false, next: at + 2 };
  const found = lookup(input.slice(at + 2, end));
  const { value = input.slice(at, end + 1), secret = false, late } = found ?? {};
  return { value, secret, ...(late && { late }), next: end + 1 };
}

/** What stays as it is in a template. */
const literally = (text: string): string => text.replaceAll('$', '$$$$');

/** ARM takes requests of 4 MB (docs/aci.md, Requests). */
export const maxBodyBytes = 4_000_000;

/** Two references to a variable of two references, and so on: no request could hold it. */
export const isTooLong = ({ value }: EnvValue): boolean => value.length > maxBodyBytes;

export const tooLong = 'with what it refers to it is longer than the 4 MB that ARM takes';

/**
 * `$(NAME)` becomes the value of NAME, or stays when there is none; `$$` becomes `$`. One pass: what was put in is not
 * expanded again. Upstream rule: the kubelet's `third_party/forked/golang/expansion`. Time is linear in the input.
 * What gets too long for a request is not read to its end. With something that is late it becomes a template.
 */
export function expand(input: string, lookup: Lookup): EnvValue {
  const lastClosing = input.lastIndexOf(')');
  let value = '';
  let secret = false;
  let late = false;
  let at = 0;
  for (let dollar = input.indexOf('$'); dollar >= 0; dollar = input.indexOf('$', at)) {
    const closable = dollar < lastClosing || input[dollar + 1] === '$';
    const piece = closable
      ? readPiece(input, dollar, lookup)
      : { value: input.slice(dollar, dollar + 2), secret: false, next: dollar + 2 };
    const before = input.slice(at, dollar);
    // From the first late piece on it is a template, and so is what was there before.
    if (piece.late === true && !late) value = literally(value);
    late ||= piece.late === true;
    value += late
      ? literally(before) + (piece.late === true ? piece.value : literally(piece.value))
      : before + piece.value;
    secret ||= piece.secret;
    at = piece.next;
    if (value.length > maxBodyBytes) break;
  }
  const rest = input.slice(at);
  return late ? { value: value + literally(rest), secret, late } : { value: value + rest, secret };
}
