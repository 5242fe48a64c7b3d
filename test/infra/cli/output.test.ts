import { describe, expect, it } from 'vitest';
import { createOutput } from '../../../infra/cli/output.ts';
import type { OutputFormat } from '../../../infra/cli/output.ts';

interface Stream {
  readonly isTTY?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
}

function written(format: OutputFormat, { isTTY = false, environment = {} }: Stream = {}) {
  let stdout = '';
  const stream = { isTTY, write: (text: string) => (stdout += text) };
  const out = createOutput({ stdout: stream, stderr: { write: () => true }, format, environment });
  return { out, text: () => stdout };
}

describe('what a command says', () => {
  it('is a table for people', () => {
    const { out, text } = written('table', { isTTY: true });
    expect(out.value({})).toBe(false);
    out.table(
      ['NODE', { title: 'PODS', align: 'right' }, 'STATE'],
      [
        [out.paint('green', 'aci-1'), '7', 'Ready'],
        ['b', '100', ''],
      ],
    );
    expect(text()).toBe('NODE    PODS   STATE\n\u001B[32maci-1\u001B[39m      7   Ready\nb        100\n');
  });
  it.each([
    ['json', '{\n  "schemaVersion": 2,\n  "a": [\n    1\n  ]\n}\n'],
    ['yaml', 'schemaVersion: 2\na:\n  - 1\n'],
  ] as const)('is %s for programs', (format, expected) => {
    const { out, text } = written(format);
    expect(out.value({ a: [1] })).toBe(true);
    expect(text()).toBe(expected);
  });
  it.each([
    ['in a pipe', false, {}],
    ['with NO_COLOR', true, { NO_COLOR: '1' }],
  ])('has no colours %s', (_, isTTY, environment) =>
    expect(written('table', { isTTY, environment }).out.paint('red', 'x')).toBe('x'),
  );
});
