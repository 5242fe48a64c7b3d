import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { PodStatusInput } from '../../../shared/core/status/pod-status.ts';
import { podStatusFromGroup } from '../../../shared/core/status/status.ts';
import { golden } from '../../fixtures/golden.ts';

const folder = new URL('../../golden/status/', import.meta.url);
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.input.json'))
  .map((file) => file.replace('.input.json', ''));

/** `recorded-*`: the bodies of a true group, docs/aci.md, Requests. `UPDATE_GOLDEN=1` rewrites the outputs. */
describe('golden statuses', () => {
  it.each(names)('%s', (name) => {
    const input = JSON.parse(readFileSync(new URL(`${name}.input.json`, folder), 'utf8')) as PodStatusInput;
    const output = `${JSON.stringify(podStatusFromGroup(input), null, 2)}\n`;
    expect(golden(new URL(`${name}.output.json`, folder), output)).toBe(output);
  });
});
