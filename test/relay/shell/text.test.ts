import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineEnds } from '../../../infra/cluster/relay/kubelet/shell/line-ends.ts';
import { LineSender } from '../../../infra/cluster/relay/kubelet/shell/line-sender.ts';
import { printfFormats, quoteWord } from '../../../infra/cluster/relay/kubelet/shell/quoting.ts';
import { RecordReader } from '../../../infra/cluster/relay/kubelet/shell/records.ts';
import { bootstrapLine, commandScript } from '../../../infra/cluster/relay/kubelet/shell/script.ts';
import { noShell } from '../../../infra/cluster/relay/kubelet/shell/sentences.ts';

const printable = /^[ -~]*$/;

describe('a word of a command', () => {
  it.each([
    ['', "''"],
    ['ls', "'ls'"],
    ['a b $c `d` "e" \\ * ! #', '\'a b $c `d` "e" \\ * ! #\''],
    ["it's", String.raw`'it'\''s'`],
    ["''", String.raw`\'\'`],
    ['a\nb\n', `'a'"$__n"'b'"$__n"`],
    ['\t', String.raw`"$(printf '\011')"`],
    ['é', String.raw`"$(printf '\303\251')"`],
    ['a\0b', undefined],
  ])('%j: %s', (word, quoted) => expect(quoteWord(Buffer.from(word))).toBe(quoted));

  it('whatever it holds, a terminal acts on no byte of it, and it is one line', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const quoted = quoteWord(Buffer.from(bytes));
        expect(quoted === undefined).toBe(bytes.includes(0));
        expect(quoted ?? '').toMatch(printable);
      }),
    );
  });
});

describe('input as formats of printf', () => {
  it.each([
    ['hello', ['hello']],
    ['100 %\\', [String.raw`100 \045\134`]],
    ['-n', [String.raw`\055n`]],
    ['a-b', ['a-b']],
    ['\n\0', [String.raw`\012\000`]],
    ['', []],
  ])('%j: %j', (text, formats) => expect([...printfFormats(Buffer.from(text), 480)]).toEqual(formats));

  it('is cut into lines of at most so many printable characters, none of which begins with a dash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), fc.integer({ min: 8, max: 100 }), (bytes, most) => {
        for (const text of printfFormats(bytes, most)) {
          expect(text.length).toBeLessThanOrEqual(most);
          expect(text).toMatch(/^[ -,.-~][ -~]*$/);
        }
      }),
    );
  });
});

describe('the script', () => {
  const size = { columns: 80, rows: 24 };
  const words = [Buffer.from('echo'), Buffer.from("it's\n\u0007")];
  it.each([
    { tty: false, hasStdin: false },
    { tty: false, hasStdin: true },
    { tty: true, hasStdin: true },
  ])('is one line of printable ASCII: %j', (how) => {
    expect(commandScript({ words, size, ...how })).toMatch(printable);
  });

  it('there is none for an argument with a NUL, or without a command', () => {
    const how = { tty: false, hasStdin: false, size };
    expect(commandScript({ words: [Buffer.from('a\0')], ...how })).toBeUndefined();
    expect(commandScript({ words: [], ...how })).toBeUndefined();
  });

  it('what is typed first is short enough for the line editors of small shells, and ends with Enter', () => {
    const line = bootstrapLine('0123456789abcdef01234567');
    expect(line.length).toBeLessThan(1000);
    expect(line.slice(0, -1)).toMatch(printable);
    expect(line.at(-1)).toBe('\r');
    // An interactive bash would look for it in its history.
    expect(line).not.toContain('!"');
  });
});

describe('what comes from the far end', () => {
  const nonce = '0123456789abcdef01234567';
  const mark = (text: string): string => `\u001E${nonce}${text};`;
  /** Texts and kinds of records, pieces of a text joined. */
  const read = (...chunks: readonly string[]): readonly string[] => {
    const reader = new RecordReader(nonce);
    const all: string[] = [];
    let before = '';
    const flush = (): void => {
      if (before !== '') all.push(before);
      before = '';
    };
    for (const chunk of chunks)
      for (const piece of reader.read(Buffer.from(chunk, 'latin1'))) {
        if (piece.kind === 'text') {
          before += piece.bytes.toString('latin1');
          continue;
        }
        flush();
        all.push(`<${piece.record.kind}${piece.record.kind === 'exit' ? ` ${piece.record.code}` : ''}>`);
      }
    before += reader.rest().toString('latin1');
    flush();
    return all;
  };

  it.each([
    [`$ ${mark('rr')}`, ['$ ', '<ready>']],
    [`${mark('b')}out${mark('e7')}`, ['<begin>', 'out', '<exit 7>']],
    [`${mark('a')}${mark('a')}`, ['<line>', '<line>']],
    [mark('xn'), ['<not-found>']],
    ['a\u001Eb', ['a\u001Eb']],
    [`\u001E${nonce}`, [`\u001E${nonce}`]],
    [mark('e1234'), [mark('e1234')]],
    [mark('e'), [mark('e')]],
    [`\u001E${nonce}this is no record`, [`\u001E${nonce}this is no record`]],
    [`\u001E0123${mark('f')}`, ['\u001E0123', '<fault>']],
    // What a terminal echoes of a script is no record: the control character is not in it.
    [`printf "\\036${nonce}b;"`, [`printf "\\036${nonce}b;"`]],
  ])('%j: %j', (text, expected) => expect(read(text)).toEqual(expected));

  it('is the same however it is cut', () => {
    const all = `a\u001Eb${mark('rc')}x${mark('b')}\u001E${nonce.slice(0, 9)}y${mark('e255')}`;
    fc.assert(
      fc.property(fc.array(fc.nat(all.length), { maxLength: 30 }), (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), all.length];
        expect(read(...at.slice(1).map((end, index) => all.slice(at[index], end)))).toEqual(read(all));
      }),
    );
  });

  it('a single byte of a prompt does not wait for the next', () => {
    const reader = new RecordReader(nonce);
    expect([...reader.read(Buffer.from('0'))]).toHaveLength(1);
    expect([...reader.read(Buffer.from('\u001E'))]).toHaveLength(0);
  });
});

describe('the ends of lines', () => {
  it.each([
    ['a\r\nb\r\n', 'a\nb\n'],
    ['a\rb', 'a\rb'],
    ['a\r\r\n', 'a\r\n'],
    ['\r', '\r'],
  ])('%j is %j, however it is cut', (text, expected) => {
    for (let cut = 0; cut <= text.length; cut += 1) {
      const ends = new LineEnds();
      const seen = [text.slice(0, cut), text.slice(cut)].map((piece) => ends.read(Buffer.from(piece)));
      expect(Buffer.concat([...seen, ends.rest()]).toString()).toBe(expected);
    }
  });
});

describe('lines', () => {
  it('go out no faster than they are read: eight at a time, numbered, with their length', async () => {
    const sent: string[] = [];
    const sender = new LineSender(async (bytes) => void sent.push(Buffer.from(bytes).toString()));
    const all = (async () => {
      for (let index = 0; index < 20; index += 1) await sender.send('x'.repeat(index));
      await sender.end();
    })();
    const turn = (): Promise<void> =>
      new Promise((resolve) => {
        setImmediate(resolve);
      });
    await turn();
    expect(sent).toEqual([
      '0.0:\n',
      '1.1:x\n',
      '2.2:xx\n',
      ...[3, 4, 5, 6, 7].map((n) => `${n}.${n}:${'x'.repeat(n)}\n`),
    ]);
    sender.acknowledge();
    await turn();
    expect(sent).toHaveLength(9);
    for (let index = 0; index < 19; index += 1) {
      sender.acknowledge();
      await turn();
    }
    await all;
    expect(sent).toHaveLength(21);
    expect(sent.at(-1)).toBe('.\n');
  });

  it('nobody waits for a far end that is gone', async () => {
    const sender = new LineSender(async () => undefined);
    const all = (async () => {
      for (let index = 0; index < 100; index += 1) await sender.send('x');
    })();
    sender.stop();
    await expect(all).resolves.toBeUndefined();
  });
});

it('what a shell that never began has written is told, without what was typed to it and what a terminal acts on', () => {
  const typed = bootstrapLine('0123456789abcdef01234567').trim();
  const outcome = noShell(`\u001B[6n# ${typed}\r\nrpc error: code = Unknown\r\n`, false);
  expect(outcome).toMatchObject({
    kind: 'failed',
    message: expect.stringMatching(
      /exec: "\/bin\/sh": no such file or directory.*; the container wrote: \[6n# rpc error: code = Unknown$/,
    ),
  });
});
