/** What the laptop cloud reports its user while it comes up: one line per step. */

/** Reports a running step's progress: replaces what was reported before. */
export type Report = (detail: string) => void;

/** Where steps are reported. Steps may run at the same time. */
export interface Progress {
  /**
   * Runs `work` and writes one line when it ends: `✓ name  detail  1.2 s`, or `✗ …` before the error goes on to the
   * caller. The detail is the last one that `work` reported.
   */
  step<T>(name: string, work: (report: Report) => Promise<T>): Promise<T>;
  /** Writes a line of its own, above what is still running. */
  line(text: string): void;
}

/** The part of a stream that progress needs. */
export interface ProgressStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

interface Running {
  readonly name: string;
  readonly startedMs: number;
  detail: string;
}

const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const frameMs = 100;
/** Where nothing can be redrawn, a long step says every so often that it is alive. */
const reminderMs = 30_000;

/** Progress on a terminal (spinner, colours unless NO_COLOR) or, where the stream is no terminal, as plain lines. */
export function createProgress(stream: ProgressStream = process.stdout): Progress {
  return stream.isTTY === true ? terminalProgress(stream) : plainProgress(stream);
}

/** Progress that says nothing, for tests. */
export const silentProgress: Progress = {
  step: (_name, work) => work(() => undefined),
  line: () => undefined,
};

/** A duration as a person reads it: `0.4 s`, `2 min 05 s`. */
export function formatDuration(durationMs: number): string {
  const seconds = durationMs / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}

function plainProgress(stream: ProgressStream): Progress {
  return {
    line: (text) => void stream.write(`${text}\n`),
    async step(name, work) {
      const running: Running = { name, startedMs: performance.now(), detail: '' };
      const reminder = setInterval(() => stream.write(`${describe('…', running)}\n`), reminderMs);
      const end = (mark: string): void => {
        clearInterval(reminder);
        stream.write(`${describe(mark, running)}\n`);
      };
      return settle(running, work, end);
    },
  };
}

function terminalProgress(stream: ProgressStream): Progress {
  const active = new Set<Running>();
  let frame = 0;
  let timer: NodeJS.Timeout | undefined;
  const draw = (): void => {
    const mark = spinner[frame++ % spinner.length] ?? '';
    const text = [...active].map((running) => describe(mark, running)).join('   ');
    stream.write(`\r\u001B[K${text.slice(0, (stream.columns ?? 80) - 1)}`);
  };
  const print = (text: string): void => {
    stream.write(`\r\u001B[K${text}\n`);
    if (active.size > 0) draw();
  };
  return {
    line: print,
    async step(name, work) {
      const running: Running = { name, startedMs: performance.now(), detail: '' };
      active.add(running);
      timer ??= setInterval(draw, frameMs);
      const end = (mark: string): void => {
        active.delete(running);
        if (active.size === 0) {
          clearInterval(timer);
          timer = undefined;
        }
        print(describe(coloured(mark), running));
      };
      return settle(running, work, end);
    },
  };
}

async function settle<T>(
  running: Running,
  work: (report: Report) => Promise<T>,
  end: (mark: string) => void,
): Promise<T> {
  try {
    const value = await work((detail) => {
      running.detail = detail;
    });
    end('✓');
    return value;
  } catch (error) {
    end('✗');
    throw error;
  }
}

function describe(mark: string, { name, detail, startedMs }: Running): string {
  const duration = formatDuration(performance.now() - startedMs);
  return [`${mark} ${name}`, detail, duration].filter((part) => part !== '').join('  ');
}

function coloured(mark: string): string {
  if ((process.env['NO_COLOR'] ?? '') !== '') return mark;
  return `\u001B[${mark === '✓' ? 32 : 31}m${mark}\u001B[39m`;
}
