import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { terminalSvg } from '../../infra/local/terminal-svg.ts';

const shown = (svg: string): readonly string[] =>
  [...svg.matchAll(/<text [^>]*>(.*)<\/text>/g)].map(([, line = '']) =>
    line
      .replaceAll(/<[^>]*>/g, '')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&amp;', '&'),
  );

describe('a picture of a terminal', () => {
  it('shows each line as it is, with what would be markup', () => {
    const text = '$ a <b> & c\n\n✓ done   1.0 s, Failed';
    expect(shown(terminalSvg(`${text}\n`))).toEqual(text.split('\n'));
  });

  it('that the README shows is one of a run', () => {
    const lines = shown(readFileSync(join(import.meta.dirname, '../../docs/npm-start.svg'), 'utf8'));
    expect(lines[0]).toBe('$ npm start -- --exit');
    expect(lines).toContainEqual(expect.stringMatching(/^✓ node {2}aci-1 is Ready/));
    expect(lines).toContainEqual(expect.stringMatching(/^exit-3 .*finished \+[\d.]+ {2}Failed$/));
    expect(lines).toContain('Nothing needs attention.');
  });
});
