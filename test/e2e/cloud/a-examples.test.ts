import { afterAll, describe, expect, it } from 'vitest';
import { examples, removeExamples, runExamples } from '../../../infra/local/up/examples.ts';
import { silentProgress } from '../../../infra/cli/progress.ts';
import { kubectlAdministrator } from '../../../infra/local/up/kubectl-administrator.ts';
import { target } from './cloud.ts';

const administrator = kubectlAdministrator(target);
const abilities = { images: true, controllers: true };

describe('the examples do what they are for', () => {
  afterAll(() => removeExamples(administrator, abilities));

  it('all of them', async () => {
    const results = await runExamples(administrator, silentProgress, abilities);
    expect(results.filter((result) => !result.ok)).toEqual([]);
    expect(results).toHaveLength(examples.length);
  });
});
