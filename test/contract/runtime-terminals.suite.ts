/** What every runtime promises of terminals and of output that is followed. */
import { describe, expect, it, vi } from 'vitest';
import type { RunningContainer } from '../../infra/local/aci/runtime/runtime.ts';

export interface TerminalHands {
  /** A container that waits, with `GREETING=hello` in its environment; its shell is `sh`. */
  sleeper(): Promise<RunningContainer>;
  /** One that has written `early`, and writes `tick` on one stream and `tock` on the other ten times a second. */
  talker(): Promise<RunningContainer>;
}

/** What a talker runs. */
export const talkingScript = 'echo early; while :; do sleep 0.05; echo tick; sleep 0.05; echo tock >&2; done';

/** The container once it has written its first line. */
export async function talking(container: RunningContainer): Promise<RunningContainer> {
  await vi.waitUntil(async () => (await container.readLogs({ timestamps: false })).includes('early'), {
    timeout: 15_000,
    interval: 20,
  });
  return container;
}

const size = { rows: 33, columns: 77 };
const text = (bytes: string): Buffer => Buffer.from(bytes);

/** Everything that a terminal, or a container, has shown so far. */
export class Screen {
  shown = '';
  readonly ended: Promise<void>;
  over = false;

  constructor(output: AsyncIterable<Uint8Array>) {
    this.ended = this.#read(output);
  }

  async #read(output: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const bytes of output) this.shown += Buffer.from(bytes).toString('latin1');
    this.over = true;
  }

  async shows(part: string | RegExp): Promise<void> {
    const found = (): boolean => (typeof part === 'string' ? this.shown.includes(part) : part.test(this.shown));
    await vi.waitFor(
      () => {
        if (!found()) throw new Error(`no ${String(part)} on the screen: ${JSON.stringify(this.shown.slice(-500))}`);
      },
      { timeout: 15_000, interval: 20 },
    );
  }
}

interface Opened {
  readonly screen: Screen;
  readonly container: RunningContainer;
  readonly type: (line: string) => Promise<void>;
}

async function open(container: RunningContainer, command: readonly string[]): Promise<Opened> {
  const terminal = await container.openTerminal(command, size);
  return { screen: new Screen(terminal.output), container, type: (line) => terminal.type(text(line)) };
}

/** A shell that has shown its prompt. */
async function openShell(container: RunningContainer): Promise<Opened> {
  const opened = await open(container, ['sh']);
  await opened.screen.shows(/[#$] $/u);
  return opened;
}

/** `isReal`: programs run, so that what they do can be looked at; else their behaviour is data. */
export function describeTerminals(name: string, hands: TerminalHands, isReal: boolean): void {
  describe(`terminals: ${name}`, () => {
    describeScreens(hands);
    if (isReal) describeRealScreens(hands);
  });
  describe(`followed output: ${name}`, () => {
    describeFollowing(hands);
  });
}

function describeScreens(hands: TerminalHands): void {
  it('echoes what is typed, with a carriage return at the end of the line, and shows what the program answers', async () => {
    const { screen, type } = await openShell(await hands.sleeper());
    await type('echo $GREETING\r');
    await screen.shows('echo $GREETING\r\nhello\r\n');
    expect(screen.shown).not.toMatch(/[^\r]\n/u);
  });

  it('is a terminal of the given size', async () => {
    const { screen, type } = await openShell(await hands.sleeper());
    await type('stty size\r');
    await screen.shows('stty size\r\n33 77\r\n');
    await type('tty\r');
    await screen.shows(/tty\r\n\/dev\/pts\/\d+\r\n/u);
    expect(screen.over).toBe(false);
  });

  it('interrupts at Ctrl-C and goes on', async () => {
    const { screen, type } = await openShell(await hands.sleeper());
    await type('sleep 1000\r');
    await screen.shows('sleep 1000\r\n');
    await type('\u0003');
    await screen.shows('^C\r\n');
    await type('echo $GREETING\r');
    await screen.shows('\r\nhello\r\n');
    expect(screen.over).toBe(false);
  });

  it.each([
    ['Ctrl-D', '\u0004'],
    ['exit', 'exit\r'],
  ])('ends with the program: %s', async (_, keys) => {
    const { screen, type } = await openShell(await hands.sleeper());
    await type('echo $GREETING\r');
    await screen.shows('hello\r\n');
    await type(keys);
    await screen.ended;
    await type('echo too late\r');
    expect(screen.shown).not.toContain('too late');
  });

  it('shows why a program does not start, and ends', async () => {
    const { screen } = await open(await hands.sleeper(), ['no such program']);
    await screen.ended;
    expect(screen.shown).toMatch(/no such program.*(?:not found|no such file)/isu);
  });

  it('shows why, too, in a container that has ended', async () => {
    const container = await hands.sleeper();
    await container.stop(0);
    const { screen } = await open(container, ['sh']);
    await screen.ended;
    expect(screen.shown).toMatch(/.+\r\n$/u);
  });

  it('ends with its container', async () => {
    const { screen, type, container } = await openShell(await hands.sleeper());
    await type('echo $GREETING\r');
    await screen.shows('hello\r\n');
    await container.stop(0);
    await screen.ended;
    expect(screen.over).toBe(true);
  });

  it('is one of several at a time', async () => {
    const container = await hands.sleeper();
    const [one, other] = await Promise.all([openShell(container), openShell(container)]);
    await one.type('echo $GREETING\r');
    await one.screen.shows('hello\r\n');
    expect(other.screen.shown).not.toContain('hello');
    await one.type('exit\r');
    await one.screen.ended;
    expect(other.screen.over).toBe(false);
  });
}

function describeRealScreens(hands: TerminalHands): void {
  it('shows a megabyte whole, and a quarter of one of it as it was typed', async () => {
    const { screen, type } = await open(await hands.sleeper(), [
      'sh',
      '-c',
      'stty raw -echo; echo ready; head -c 250000 | tr a b; echo; head -c 1000000 /dev/zero | tr "\\0" x',
    ]);
    await screen.shows('ready');
    for (let sent = 0; sent < 250; sent += 1) await type('a'.repeat(1000));
    await screen.ended;
    expect(screen.shown.replace(/^ready\r?\n/u, '')).toBe(`${'b'.repeat(250_000)}\n${'x'.repeat(1_000_000)}`);
  });

  it('passes bytes on as they are', async () => {
    const { screen } = await open(await hands.sleeper(), ['printf', '\\377\\000\\303(']);
    await screen.ended;
    expect(screen.shown).toBe('\u00ff\u0000\u00c3(');
  });

  it('takes arguments as they are', async () => {
    const { screen } = await open(await hands.sleeper(), ['printf', '[%s]', "it's", 'a "b"', '$HOME', '']);
    await screen.ended;
    expect(screen.shown).toBe(`[it's][a "b"][$HOME][]`);
  });
}

function describeFollowing(hands: TerminalHands): void {
  it('shows both streams from now on, until the container ends', async () => {
    const container = await hands.talker();
    const screen = new Screen(await container.followOutput(new AbortController().signal));
    await screen.shows('tick');
    await screen.shows('tock');
    expect(screen.shown).not.toContain('early');
    await container.stop(0);
    await screen.ended;
  });

  it('shows no more once nobody wants it, and the container goes on', async () => {
    const container = await hands.talker();
    const wanted = new AbortController();
    const one = new Screen(await container.followOutput(wanted.signal));
    const other = new Screen(await container.followOutput(new AbortController().signal));
    await one.shows('tick');
    wanted.abort();
    await one.ended;
    const { length } = other.shown;
    await expect.poll(() => other.shown.length, { timeout: 5000, interval: 20 }).toBeGreaterThan(length);
    await container.stop(0);
    await other.ended;
  });

  it('shows nothing of a container that has ended', async () => {
    const container = await hands.talker();
    await container.stop(0);
    const screen = new Screen(await container.followOutput(new AbortController().signal));
    await screen.ended;
    expect(screen.shown).toBe('');
  });
}
