import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { rotateKeyCommand } from '../../../../infra/cli/agent/rotate-key/command.ts';
import { agentTags } from '../../../../shared/core/agent/agent-tags.ts';
import { firstRoot } from '../../../../shared/core/agent/key.ts';
import { groupTags } from '../../../../shared/core/group/identity.ts';
import { fail } from '../../../../shared/core/fault.ts';
import { formatRootKeys, parseRootKeys } from '../../../../shared/wire/agent-settings.ts';
import { createWorld } from '../../../app/world.ts';
import type { World } from '../../../app/world.ts';
import { groupBody } from '../../../fixtures/group-body.ts';
import { runOver } from '../status/world-context.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'rotate-key-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Puts a group whose agents have a key of that root. */
async function putGroup(world: World, kid: string, installation = 'sk'): Promise<void> {
  const owner = { installation, cluster: 'c', node: 'aci-1', namespace: 'd', name: kid, uid: `uid-${kid}` };
  const tags = { ...groupTags(owner, 'hash'), ...agentTags({ digest: 'sha256:a', kid, nonce: 'n' }) };
  await world.groups.createOrUpdate(`g-${kid}`, groupBody({ tags }), new AbortController().signal);
}

const kidsOf = (file: string): readonly string[] => Object.keys(parseRootKeys(readFileSync(file, 'utf8'))?.roots ?? {});

it('makes the first root, in a file that nobody else can read, and shows it to nobody', async () => {
  const file = join(root, 'first.json');
  const shown = await runOver(await createWorld(), rotateKeyCommand, ['--file', file, '--output', 'json']);
  const keys = parseRootKeys(readFileSync(file, 'utf8'));
  expect(JSON.parse(shown.stdout)).toMatchObject({ current: keys?.current, kept: [], gone: [] });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const secret = Buffer.from(keys?.roots[keys.current] ?? []).toString('base64');
  expect(secret).toHaveLength(44);
  expect(shown.stdout + shown.stderr).not.toContain(secret.slice(0, 20));
});

it('keeps the root before and those that a group of this installation names, and lets the others go', async () => {
  const world = await createWorld();
  const roots = [1, 2, 3, 4].map((n) => firstRoot(Buffer.alloc(32, n)));
  const [used, unused, foreign, current] = roots.map((one) => one.current);
  await putGroup(world, used ?? '');
  await putGroup(world, foreign ?? '', 'other');
  const file = join(root, 'many.json');
  const all = Object.assign({}, ...roots.map((one) => one.roots));
  writeFileSync(file, formatRootKeys({ current: current ?? '', roots: all }));
  const shown = await runOver(world, rotateKeyCommand, ['--file', file]);
  const kids = kidsOf(file);
  expect(kids).toHaveLength(3);
  expect(kids).toEqual(expect.arrayContaining([used, current]));
  expect(shown.stdout).toContain(`gone, as no group was made with them: ${unused}, ${foreign}`);
  expect(shown.code).toBe(0);
});

it('writes the setting where no file is given', async () => {
  const file = join(root, 'settings.json');
  writeFileSync(file, JSON.stringify({ Values: { OTHER: '1' } }));
  await runOver(await createWorld(), rotateKeyCommand, [], { source: { kind: 'file', file } });
  const { Values } = JSON.parse(readFileSync(file, 'utf8'));
  expect(Values.OTHER).toBe('1');
  expect(parseRootKeys(Values.AGENT_ROOT_KEYS)?.current).toMatch(/^r[0-9a-f]{10}$/);
});

it('changes nothing where the list of groups is not whole, or the file holds something else', async () => {
  const world = await createWorld();
  const file = join(root, 'kept.json');
  const text = formatRootKeys(firstRoot(Buffer.alloc(32, 7)));
  writeFileSync(file, text);
  const list = () => Promise.resolve(fail({ kind: 'transient', message: 'no answer' }));
  const shown = await runOver(world, rotateKeyCommand, ['--file', file], { groups: { ...world.groups, list } });
  expect(shown).toMatchObject({ code: 1, stderr: expect.stringContaining('which roots groups need is not known') });
  expect(readFileSync(file, 'utf8')).toBe(text);
  writeFileSync(file, '{"mine":true}');
  expect(await runOver(world, rotateKeyCommand, ['--file', file])).toMatchObject({ code: 2 });
  expect(readFileSync(file, 'utf8')).toBe('{"mine":true}');
});
