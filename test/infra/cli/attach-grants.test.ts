import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeGrant, readGrantsFile, describeUnknownWorkspaces } from '../../../infra/cli/attach/grants-file.ts';
import { withCluster } from '../../../infra/cli/attach/plan.ts';
import { attachOptions, parseAttachWants } from '../../../infra/cli/attach/wants.ts';
import { parseOptions } from '../../../infra/cli/options.ts';
import { Stop } from '../../../infra/cli/stop.ts';
import type { PodGrant } from '../../../shared/core/pod/grant.ts';
import { identityIdExample, subnetIdExample } from '../../../shared/core/resource-id.ts';
import { formatRegistrations, parseRegistrations } from '../../../shared/wire/settings.ts';
import type { ClusterRegistration } from '../../../shared/wire/settings.ts';
import { read } from '../../docs/documents.ts';
import { facts } from './attach-facts.ts';

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'grants-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function fileOf(text: string): string {
  const file = join(dir, 'grants.yaml');
  writeFileSync(file, text);
  return file;
}

const [, sample = ''] = /```yaml\n([\s\S]*?)```/.exec(read('docs/security.md')) ?? [];
const whole = `
- namespace: team-a
  serviceAccount: reports
  identities: [${identityIdExample}]
  subnets: [${subnetIdExample}, none]
  logAnalytics: [audit]
- namespace: "*"
  publicAddress: true
`;
const teamA: PodGrant = {
  namespace: 'team-a',
  serviceAccount: 'reports',
  identities: [identityIdExample],
  subnets: [subnetIdExample, 'none'],
  logAnalytics: ['audit'],
  publicAddress: false,
};
const everywhere: PodGrant = {
  namespace: '*',
  identities: [],
  subnets: [],
  logAnalytics: [],
  publicAddress: true,
};

describe('a file of grants', () => {
  it.each([
    ['a list in YAML', whole, [teamA, everywhere]],
    ['a list under its name', `grants:${whole.replaceAll('\n', '\n  ')}`, [teamA, everywhere]],
    ['JSON', JSON.stringify([everywhere]), [everywhere]],
    ['an empty list', '[]', []],
  ])('is %s', (_, text, grants) => expect(readGrantsFile(fileOf(text))).toEqual(grants));

  it('is what docs/security.md shows', () =>
    expect(readGrantsFile(fileOf(sample)).map(describeGrant)).toEqual([
      'team-a/reports: identity reports, workspace audit',
      'team-b: subnet pods, no subnet, a public address',
    ]));

  it.each([
    ['nothing', '', /holds no list of grants$/],
    ['a text', 'team-a', /holds no list of grants$/],
    [
      'another object',
      'items: []',
      /: grants: set it; it is required; the object: only known members; remove "items"$/,
    ],
    ['no YAML', 'a: [', /is neither YAML nor JSON: Flow sequence in block collection /],
    [
      'a member that is none',
      '[{namespace: a, identites: []}]',
      /: grants\[0\]: only known members; remove "identites"$/,
    ],
    ['no namespace', '[{}]', /: grants\[0\]\.namespace: a namespace, or "\*"$/],
    ['a name that is none', '[{namespace: Team A}]', /: grants\[0\]\.namespace: a namespace, or "\*"$/],
    [
      'names for ids, all of them at once',
      '[{namespace: a}, {namespace: b, identities: [reports], subnets: [pods], publicAddress: "yes"}]',
      /: grants\[1\]\.identities\[0\]: resource ids of user-assigned identities; grants\[1\]\.subnets\[0\]: resource ids of subnets, or "none"; grants\[1\]\.publicAddress: true or false$/,
    ],
  ])('is refused when it holds %s', (_, text, problem) => {
    const file = fileOf(text);
    expect(() => readGrantsFile(file)).toThrow(problem);
    expect(() => readGrantsFile(file)).toThrow(Stop);
  });

  it('is refused when it is not there', () =>
    expect(() => readGrantsFile(join(dir, 'none'))).toThrow(/none can't be read$/));

  it.each([
    [teamA, 'team-a/reports: identity reports, subnet pods, no subnet, workspace audit'],
    [everywhere, 'every namespace: a public address'],
    [{ ...everywhere, publicAddress: false }, 'every namespace: nothing'],
  ])('is shown to a person', (grant, sentence) => expect(describeGrant(grant)).toBe(sentence));

  it('names workspaces of the settings, or a sentence says which is not there', () => {
    expect(describeUnknownWorkspaces([teamA, teamA], { audit: {} })).toEqual([]);
    expect(describeUnknownWorkspaces([teamA, teamA], {})).toEqual([expect.stringContaining('the workspace audit')]);
  });
});

/** The list after `attach` with these arguments; undefined: nothing was to be written. */
function after(before: readonly ClusterRegistration[], ...args: string[]): readonly ClusterRegistration[] | undefined {
  const wants = parseAttachWants(parseOptions(['--nodes', 'aci-1', ...args], attachOptions));
  return withCluster(before, { wants, facts, appUrl: 'https://app', address: '10.0.12.7' });
}

/** As the blob has it. */
function stored(clusters: readonly ClusterRegistration[] | undefined): readonly ClusterRegistration[] {
  const read = parseRegistrations(formatRegistrations(clusters ?? []));
  if (!read.ok) throw new Error(read.faults.map(({ name, expected }) => `${name}: ${expected}`).join());
  return read.clusters;
}

describe('the grants of a registration', () => {
  it('are what the file says, and the same after they were read', () => {
    const file = fileOf(whole);
    const first = stored(after([], '--grants', file));
    expect(first[0]?.grants).toEqual([teamA, everywhere]);
    expect(after(first, '--grants', file)).toBe(undefined);
  });
  it('stay as they are without the option', () => {
    const first = stored(after([], '--grants', fileOf(whole)));
    expect(after(first)).toBe(undefined);
    expect(after(first, '--zones', '2')?.[0]?.grants).toEqual([teamA, everywhere]);
  });
  it('are replaced, not added to, and taken away by an empty list', () => {
    const first = stored(after([], '--grants', fileOf(whole)));
    expect(
      stored(after(first, '--grants', fileOf('[{namespace: b}]')))[0]?.grants?.map((one) => one.namespace),
    ).toEqual(['b']);
    expect(after(first, '--grants', fileOf('[]'))?.[0]).not.toHaveProperty('grants');
    expect(after(stored(after([])), '--grants', fileOf('[]'))).toBe(undefined);
  });
});
