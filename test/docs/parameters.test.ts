import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { golden } from '../fixtures/golden.ts';
import { root } from './documents.ts';
import { bicepRows, helmRows, parametersPage } from './parameters.ts';

describe('docs/parameters.md', () => {
  it('says what template and chart say', () => {
    const text = parametersPage();
    expect(golden(join(root, 'docs/parameters.md'), text)).toBe(text);
  });

  it('leaves no meaning empty, but for what its name or its group says', () => {
    const parts = parametersPage().split('\n## ');
    expect(parts).toHaveLength(3);
    expect(parts[1]?.match(/\|  \|$/gm)).toBeNull();
  });

  it('reads bounds, choices and defaults of a parameter', () => {
    const text =
      "@description('So many.')\n@minValue(1)\n@maxValue(9)\nparam a int = 3\n\n@description('Which.')\n@allowed([\n  'x'\n  'y'\n])\nparam b string\n";
    expect(bicepRows(text)).toEqual(['| `a` | `1` to `9` | `3` | So many. |', '| `b` | `x`, `y` | needed | Which. |']);
  });

  it('reads comments of values, groups and first members', () => {
    expect(helmRows("# A group.\ng:\n  # First.\n  one: ''\n  two: 2\n# Alone.\nx: {}\n")).toEqual([
      '| `g` |  | A group. |',
      "| `g.one` | `''` | First. |",
      '| `g.two` | `2` |  |',
      '| `x` | `{}` | Alone. |',
    ]);
  });
});
