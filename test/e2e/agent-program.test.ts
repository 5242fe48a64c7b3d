/** The agent's own tests, and the program as it is packaged: where Go is, and takes seconds. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { agentFolder, buildAgent, findAgentGo } from '../../infra/package/agent.ts';
import { goEnvironment } from '../../infra/package/go-toolchain.ts';
import { repository, whyNoGo } from '../fixtures/agent-go.ts';

const run = promisify(execFile);
const cwd = agentFolder(repository);
const env = goEnvironment();

const reason = await whyNoGo();
const root = mkdtempSync(join(tmpdir(), 'agent-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe.skipIf(reason !== undefined)(`the agent${reason === undefined ? '' : ` is not tried: ${reason}`}`, () => {
  it('passes its own tests', { timeout: 600_000 }, async () => {
    const { command: go } = await findAgentGo(repository);
    const { stdout } = await run(go, ['test', '-short', './...'], { cwd, env });
    expect(stdout.match(/^ok /gm)?.length).toBeGreaterThan(15);
  });

  it('is formatted, and vet finds nothing', { timeout: 300_000 }, async () => {
    const { command: go } = await findAgentGo(repository);
    const { stdout: goroot } = await run(go, ['env', 'GOROOT'], { cwd, env });
    expect((await run(join(goroot.trim(), 'bin', 'gofmt'), ['-l', '.'], { cwd, env })).stdout).toBe('');
    await run(go, ['vet', './...'], { cwd, env });
  });

  it(
    'is the same program wherever it is built, static, and names no folder of the machine',
    { timeout: 600_000 },
    async () => {
      const one = await buildAgent(repository, join(root, 'one'));
      const two = await buildAgent(repository, join(root, 'elsewhere', 'two'));
      expect(two.sha256).toBe(one.sha256);
      const bytes = readFileSync(one.file);
      expect(bytes.includes(repository)).toBe(false);
      // An interpreter is what a program that is not static names.
      expect(bytes.includes('/lib64/ld-linux')).toBe(false);
    },
  );
});
