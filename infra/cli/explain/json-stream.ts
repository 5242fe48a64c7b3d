/** One value of a stream, with where it begins. */
export interface Piece {
  readonly text: string;
  readonly offset: number;
}

/**
 * Values of JSON that follow each other, as `kubectl get -o json` of several calls writes them; of what is cut off or
 * no JSON the rest is the last piece. YAML, and what is one value only, is one piece.
 */
export function jsonPieces(text: string): readonly Piece[] {
  const whole: readonly Piece[] = [{ text, offset: 0 }];
  if (!/^\s*\{/.test(text)) return whole;
  const pieces: Piece[] = [];
  let from = 0;
  while (from < text.length && text.slice(from).trim() !== '') {
    const end = endOfValue(text, from);
    pieces.push({ text: text.slice(from, end), offset: from });
    from = end;
  }
  // A YAML document may begin with a brace as well, and go on as no JSON does.
  return pieces.length > 1 && pieces.every(({ text: piece }) => /^\s*\{/.test(piece)) ? pieces : whole;
}

/** Just behind the brace that closes the value which begins at or after `from`. */
function endOfValue(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++)
    switch (text[at]) {
      case '"':
        at = endOfString(text, at);
        break;
      case '{':
      case '[':
        depth += 1;
        break;
      case '}':
      case ']':
        depth -= 1;
        if (depth <= 0) return at + 1;
        break;
      default:
    }
  return text.length;
}

/** The closing quote of the string that opens at `from`. */
function endOfString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++)
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at;
  return text.length;
}
