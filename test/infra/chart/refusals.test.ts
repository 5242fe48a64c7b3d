import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { refusals, renderRefusals } from '../../../infra/cluster/admission/refusals.ts';
import { compatibilityTable } from '../../../shared/core/pod/compatibility.ts';
import { golden } from '../../fixtures/golden.ts';

const file = new URL('../../../infra/cluster/chart/admission/refusals.yaml', import.meta.url);

describe('the warnings of the admission policy', () => {
  it('cover each field that the compatibility table refuses, whole or in part, and the agent does not give', () => {
    const refused = compatibilityTable.filter(
      ({ verdict, only, agent }) => (verdict === 'refused' || only !== undefined) && agent?.strength !== 'needs',
    );
    const covered = refusals().flatMap(({ fields }) => fields);
    expect(covered.toSorted()).toEqual(refused.map(({ path }) => path).toSorted());
  });

  it('are those of the chart', () => {
    const text = renderRefusals();
    expect(golden(file, text), 'the table has changed: UPDATE_GOLDEN=1 npx vitest run test/infra/chart').toBe(text);
  });

  it('are reported once for each path and reason', () => {
    const { refusals: items } = parse(readFileSync(file, 'utf8'));
    const keys = items.map(({ path, reason, list }: Record<string, string>) => JSON.stringify([list, path, reason]));
    expect(new Set(keys).size).toBe(keys.length);
  });
});
