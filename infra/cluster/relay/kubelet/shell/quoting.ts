/**
 * Words of a command for a shell that is typed to: only printable ASCII, because a terminal acts on the rest, and no line feed,
 * because lines are what a terminal sends. What a word holds beyond that is made by `printf` where it runs.
 */

const lineFeed = 10;
const percent = 37;
const singleQuote = 39;
const dash = 45;
const backslash = 92;

const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, '0')}`;

const isPrintable = (byte: number): boolean => byte >= 32 && byte < 127;

/** Holds a line feed: a substitution drops those at its end, so `printf` can't make one there. */
export const lineFeedVariable = '__n';

type Kind = 'quoted' | 'quote' | 'line-feed' | 'octal';

function kindOf(byte: number): Kind {
  if (byte === singleQuote) return 'quote';
  if (byte === lineFeed) return 'line-feed';
  return isPrintable(byte) ? 'quoted' : 'octal';
}

function writeRun(kind: Kind, run: Buffer): string {
  switch (kind) {
    case 'quoted':
      return `'${run.toString('latin1')}'`;
    case 'quote':
      return String.raw`\'`.repeat(run.length);
    case 'line-feed':
      return `"$${lineFeedVariable}"`.repeat(run.length);
    case 'octal':
      return `"$(printf '${Array.from(run, octal).join('')}')"`;
  }
}

/** One word that a POSIX shell reads as these very bytes; undefined when there is a NUL, which no argument can hold. */
export function quoteWord(word: Buffer): string | undefined {
  if (word.includes(0)) return undefined;
  const parts: string[] = [];
  for (let from = 0; from < word.length;) {
    const kind = kindOf(word[from] ?? 0);
    let to = from + 1;
    while (to < word.length && kindOf(word[to] ?? 0) === kind) to += 1;
    parts.push(writeRun(kind, word.subarray(from, to)));
    from = to;
  }
  return parts.length === 0 ? "''" : parts.join('');
}

/** Bytes as the formats of `printf`, each of `most` characters at most, which one after the other write just these. */
export function* printfFormats(bytes: Uint8Array, most: number): Generator<string> {
  let text = '';
  for (const byte of bytes) {
    // A dash at the beginning would be an option.
    const isPlain = isPrintable(byte) && byte !== backslash && byte !== percent && !(byte === dash && text === '');
    text += isPlain ? String.fromCharCode(byte) : octal(byte);
    if (text.length + octal(0).length <= most) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}
