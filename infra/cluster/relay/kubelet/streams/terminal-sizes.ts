import * as z from 'zod';
import { isTerminalSize } from '../../../../../shared/core/streams/stream-session.ts';
import type { TerminalSize } from '../../../../../shared/core/streams/stream-session.ts';
import { parseJson } from '../../../../../shared/wire/json-text.ts';

const schema = z.object({ Width: z.int(), Height: z.int() });
/** Of one size as JSON; who sends more without an end sends none. */
const longest = 1024;

/**
 * The sizes in a stream of JSON objects, `{"Width":80,"Height":24}`, one after the other, cut anywhere. What is none is passed over, and
 * so are sizes of 0, from clients whose window is not there yet.
 */
export class TerminalSizes {
  #text = '';

  read(bytes: Buffer): readonly TerminalSize[] {
    this.#text += bytes.toString('latin1');
    const sizes: TerminalSize[] = [];
    for (let end = this.#text.indexOf('}'); end >= 0; end = this.#text.indexOf('}')) {
      const size = sizeOf(this.#text.slice(0, end + 1));
      if (size !== undefined) sizes.push(size);
      this.#text = this.#text.slice(end + 1);
    }
    if (this.#text.length > longest) this.#text = '';
    return sizes;
  }
}

function sizeOf(text: string): TerminalSize | undefined {
  const parsed = schema.safeParse(parseJson(text.slice(Math.max(0, text.lastIndexOf('{'))))).data;
  if (parsed === undefined) return undefined;
  const size = { columns: parsed.Width, rows: parsed.Height };
  return isTerminalSize(size) ? size : undefined;
}
