/**
 * `npm run picture`: starts a cloud, lets the examples run, and writes docs/npm-start.svg of what the terminal showed.
 * What the examples themselves print is left out, and so are the budgets; no line is changed.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { terminalSvg } from './terminal-svg.ts';

const repository = join(import.meta.dirname, '../..');
const dir = mkdtempSync(join(tmpdir(), 'serverless-kubelet-picture-'));
const start = join(repository, 'infra/local/start.mjs');

const isReported = (block: string): boolean => !/^(?:── |BUDGET|QUOTA|Installation)/.test(block);

try {
  const { stdout } = await promisify(execFile)(process.execPath, [start, '--exit', '--dir', dir], { cwd: repository });
  const reported = stdout.split('\n\n').filter(isReported).join('\n\n');
  writeFileSync(join(repository, 'docs/npm-start.svg'), terminalSvg(`$ npm start -- --exit\n${reported}`));
  console.log('docs/npm-start.svg written');
} finally {
  rmSync(dir, { recursive: true, force: true });
}
