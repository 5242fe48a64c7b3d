import { describe, expect, it } from 'vitest';
import { whyUnsaid, wordOf } from '../../../../shared/core/agent/reports/drain.ts';
import type { DrainWord } from '../../../../shared/core/agent/reports/drain.ts';
import type { WordAnswer } from '../../../../shared/core/agent/words.ts';
import { fail, ok } from '../../../../shared/core/fault.ts';
import type { Result } from '../../../../shared/core/fault.ts';

const busy = fail({ kind: 'throttled', retryAfterMs: 3_000, message: 'm' });
const broken = fail({ kind: 'transient', message: 'm' });
const missing = fail({ kind: 'rejected', code: 'AgentMissing', message: 'm' });

describe('what came of the word', () => {
  it.each<[string, Result<WordAnswer>, DrainWord | undefined]>([
    ['its agent ends the program', ok({ ok: true }), 'heard'],
    ['no agent stays beside the program', ok({ ok: true, message: 'process 1 got its signal' }), 'signalled'],
    ['the agent can not', ok({ ok: false, message: 'm' }), 'nobody'],
    ['the word is not there', missing, 'nobody'],
    ['the app may not', fail({ kind: 'denied', code: 'c', message: 'm' }), 'nobody'],
    ['the container is gone', fail({ kind: 'not-found', code: 'c', message: 'm' }), 'nobody'],
    ['the session broke', broken, 'unsure'],
    ['no budget was left', busy, undefined],
    ['the group is in transition', fail({ kind: 'conflict', code: 'c', message: 'm' }), undefined],
  ])('where %s', (_, answer, word) => expect(wordOf(answer)).toBe(word));

  it('is said again where it is not known, when a budget allows it', () => {
    expect(whyUnsaid([ok({ ok: true }), missing])).toBeUndefined();
    expect(whyUnsaid([ok({ ok: true }), broken])).toEqual(broken.fault);
    expect(whyUnsaid([broken, busy])).toEqual(busy.fault);
  });
});
