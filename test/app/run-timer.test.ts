import { describe, expect, it } from 'vitest';
import { runOnce } from '../../shared/app/run-timer.ts';
import { createWorld } from './world.ts';

/** The log's lines; what the host records of a failed run is sampled, so that an operator has these alone. */
function logOf(): { readonly lines: string[]; readonly log: Parameters<typeof runOnce>[0] } {
  const lines: string[] = [];
  const warn = (message: string, fields?: object): void => void lines.push(JSON.stringify({ message, ...fields }));
  return { lines, log: { info: () => undefined, warn } };
}

describe('a run of a timer that fails', () => {
  it.each([
    ['settings', 'settings are not valid'],
    ['registrations', 'registrations could not be read'],
  ] as const)('on %s says so once, in the app’s own log', async (problem, title) => {
    const { lines, log } = logOf();
    const running = runOnce(log, {
      deadlineMs: 5000,
      run: async () => undefined,
      load: async () => ({ ok: false, problem, message: 'INSTALLATION: set it' }),
    });
    await expect(running).rejects.toThrow(title);
    expect(lines).toEqual([JSON.stringify({ message: title, faults: 'INSTALLATION: set it' })]);
  });

  it('on a bug says so once, with its stack', async () => {
    const world = await createWorld();
    const { lines, log } = logOf();
    const running = runOnce(log, {
      deadlineMs: 5000,
      run: async () => {
        throw new Error('the inside of the app');
      },
      load: async () => ({ ok: true, deps: world.deps }),
    });
    await expect(running).rejects.toThrow('the inside of the app');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /^\{"message":"timer run failed on a bug","error":"Error: the inside of the app\\n {4}at /,
    );
  });
});
