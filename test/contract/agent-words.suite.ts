import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeFault } from '../../shared/core/fault.ts';
import type { Result } from '../../shared/core/fault.ts';
import type { AgentWords } from '../../shared/ports/agent-words.ts';

/** A group `speaks` whose container `main` has an agent, and `bare`, whose `main` has none. */
export interface AgentWordsUnderTest {
  readonly words: AgentWords;
  readonly close: () => Promise<void>;
}

/** What the agent of `speaks` is to answer; a drain by the grace that it heard. */
export const suiteAnswers = {
  drain: (graceSeconds: number) => ({ ok: true as const, message: `${graceSeconds} s` }),
  refresh: { ok: false, message: 'no volume of this container is live' },
  status: { bootId: '019ad1c0ffee-9f86d081', phase: 'running', lastFault: 'the app answered 401 Unauthorized' },
} as const;

export const place = { group: 'speaks', container: 'main' };

const signal = AbortSignal.timeout(60_000);

function value<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(describeFault(result.fault));
  return result.value;
}

const faultOf = (result: Result<unknown>): string => {
  if (result.ok) return JSON.stringify(result.value);
  return 'code' in result.fault ? `${result.fault.kind} ${result.fault.code}` : result.fault.kind;
};

export function describeAgentWords(name: string, open: () => Promise<AgentWordsUnderTest>): void {
  describe(`words to agents: ${name}`, () => {
    let test: AgentWordsUnderTest;
    beforeAll(async () => {
      test = await open();
    });
    afterAll(() => test.close());

    it('a drain carries its grace, and is answered; so is a second one', async () => {
      for (const graceSeconds of [30, 5])
        expect(value(await test.words.drain(place, { graceSeconds }, signal))).toEqual(
          suiteAnswers.drain(graceSeconds),
        );
    });

    it('an agent that refuses says why, which is no fault', async () => {
      expect(value(await test.words.refresh(place, signal))).toEqual(suiteAnswers.refresh);
    });

    it('a status says what the agent knows', async () => {
      expect(value(await test.words.status(place, signal))).toEqual({ ok: true, status: suiteAnswers.status });
    });

    it('many at once do not hear each other', async () => {
      const answers = await Promise.all([
        ...Array.from({ length: 5 }, () => test.words.refresh(place, signal)),
        ...Array.from({ length: 5 }, () => test.words.status(place, signal)),
      ]);
      expect(answers.map((answer) => (answer.ok ? answer.value.ok : faultOf(answer)))).toEqual([
        ...Array.from({ length: 5 }, () => false),
        ...Array.from({ length: 5 }, () => true),
      ]);
    });

    it('a container without the words rejects each', async () => {
      const bare = { group: 'bare', container: 'main' };
      expect(faultOf(await test.words.drain(bare, { graceSeconds: 30 }, signal))).toBe('rejected AgentMissing');
      expect(faultOf(await test.words.refresh(bare, signal))).toBe('rejected AgentMissing');
      expect(faultOf(await test.words.status(bare, signal))).toBe('rejected AgentMissing');
    });

    it('a group or a container that is not there is not found', async () => {
      expect(faultOf(await test.words.refresh({ group: 'none', container: 'main' }, signal))).toMatch(/^not-found /);
      expect(faultOf(await test.words.refresh({ group: 'speaks', container: 'none' }, signal))).toMatch(/^not-found /);
    });

    it('without time it is transient', async () => {
      const late = await test.words.drain(place, { graceSeconds: 1 }, AbortSignal.abort());
      expect(faultOf(late)).toBe('transient');
    });
  });
}
