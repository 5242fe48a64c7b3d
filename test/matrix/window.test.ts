import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { enumerate, play } from './matrix.ts';
import { windowCalls } from '../../infra/local/sim/oracles/window.ts';
import { findVariant } from './variants.ts';
import type { Variant } from './variants/hands.ts';

const variantOf = (name: string): Variant => {
  const variant = findVariant(name);
  if (variant === undefined) throw new Error(`no variant ${name}`);
  return variant;
};

describe('the documented window', () => {
  it('is what docs/architecture.md says: these requests, when they arrive after their time', () => {
    const text = readFileSync(new URL('../../docs/architecture.md', import.meta.url), 'utf8');
    const documented = [...text.matchAll(/^\| inside `([\w.]+)` \|/gm)].map(([, call]) => call);
    expect(new Set(documented)).toEqual(new Set(windowCalls.keys()));
  });

  it.each([...windowCalls.keys()])(
    '%s in it is exempt from O2 alone, and after 12 s it is not exempt',
    async (call) => {
      const variant = variantOf('deleted-running');
      const { b } = await enumerate(variant, { seed: 3 });
      const { a } = await enumerate(variant, { seed: 3 });
      const index = b.find(({ name }) => name === call)?.index;
      // Whoever of the two sends it, it is sent.
      expect(index ?? a.find(({ name }) => name === call)?.index).toBeDefined();
      if (index === undefined) return;
      const freeze = { kind: 'freeze', call: index, moment: 'inside' } as const;
      const late = await play(variant, { seed: 3, faults: { freeze } });
      const inTime = await play(variant, { seed: 3, faults: { freeze: { ...freeze, forMs: 12_000 } } });
      expect([late.isExempt, late.violations, inTime.isExempt, inTime.violations]).toEqual([true, [], false, []]);
    },
  );
});
