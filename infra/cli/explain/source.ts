/** Where something is in an input, for people: lines and columns begin at 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What is wrong with an input, and where. */
export interface InputFault {
  readonly at: Position;
  readonly problem: string;
}

export const placeText = ({ file, line, column }: Position): string => `${file}:${line}:${column}`;

/** Finds lines and columns by offsets. */
export function positions(file: string, text: string): (offset: number) => Position {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let [low, high] = [0, starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { file, line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}
