import { afterAll, describe, expect, it } from 'vitest';
import { examples, removeExamples, runExamples } from '../../../infra/local/up/examples.ts';
import { silentProgress } from '../../../infra/local/progress.ts';
import { target } from './cloud.ts';

describe('the examples do what they are for', () => {
  afterAll(() => removeExamples(target));

  it('all of them', async () => {
    const results = await runExamples(target, silentProgress, { images: true });
    expect(results.filter((result) => !result.ok)).toEqual([]);
    expect(results).toHaveLength(examples.length);
  });
});
