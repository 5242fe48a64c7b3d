import { describe, expect, it } from 'vitest';
import { agentReport } from '../../../../infra/cli/agent/status/report.ts';
import type { AgentFacts, InRegistry } from '../../../../infra/cli/agent/status/report.ts';
import { agentTags } from '../../../../shared/core/agent/agent-tags.ts';
import { tagNames } from '../../../../shared/core/group/identity.ts';

const current = `sha256:${'c'.repeat(64)}`;
const older = `sha256:${'0'.repeat(64)}`;

const group = (digest: string, kid: string, installation = 'sk') => ({
  name: 'g',
  provisioningState: 'Succeeded',
  cpu: 1,
  tags: { [tagNames.installation]: installation, ...agentTags({ digest, kid, nonce: 'n' }) },
});

const there: InRegistry = { kind: 'there' };
const gone: InRegistry = { kind: 'gone' };
const good: AgentFacts = {
  installation: 'sk',
  packaged: { version: '1.2.3', sha256: 'a'.repeat(64), imageDigest: current },
  image: `reg.example/agent@${current}`,
  download: 'auto',
  keys: { current: 'r2', roots: { r2: Buffer.alloc(32), r1: Buffer.alloc(32) } },
  inRegistry: new Map<string, InRegistry>([
    [current, there],
    [older, there],
  ]),
  groups: [
    group(current, 'r2'),
    group(older, 'r1'),
    group(current, 'r2'),
    group(older, 'r9', 'other'),
    { ...group('', ''), tags: {} },
  ],
};

describe('what agent status says', () => {
  it('is all well where the app gives what is packaged, and what groups name is there', () => {
    expect(agentReport(good)).toEqual({
      packaged: good.packaged,
      image: { reference: good.image, isPackaged: true, registry: 'there' },
      download: 'auto',
      roots: [
        { kid: 'r2', isCurrent: true, groups: 2 },
        { kid: 'r1', isCurrent: false, groups: 1 },
      ],
      groups: [
        { digest: current, groups: 2, registry: 'there' },
        { digest: older, groups: 1, registry: 'there' },
      ],
      troubles: [],
    });
  });

  it('shows no root', () => {
    const secret = Buffer.from('a planted root of thirty-two by!');
    const shown = JSON.stringify(agentReport({ ...good, keys: { current: 'r2', roots: { r2: secret } } }));
    for (const form of ['base64', 'hex', 'utf8'] as const)
      expect(shown).not.toContain(secret.toString(form).slice(0, 12));
  });

  it.each<[string, Partial<AgentFacts>, string]>([
    [
      'the image is gone',
      { inRegistry: new Map<string, InRegistry>([[current, gone]]) },
      'the registry has not what AGENT_IMAGE names',
    ],
    [
      'another image than the packaged one is given',
      { image: `reg.example/agent@${older}` },
      'another agent than that of this package',
    ],
    ['there is no root', { keys: undefined, groups: [] }, 'no root of keys'],
    [
      'an image that groups name is gone',
      {
        inRegistry: new Map<string, InRegistry>([
          [current, there],
          [older, gone],
        ]),
      },
      `1 groups were made with ${older}, which the registry has no more`,
    ],
    [
      'a root that groups name is gone',
      { keys: { current: 'r2', roots: { r2: Buffer.alloc(32) } } },
      '1 groups have keys of the root r1',
    ],
    ['groups could not be listed', { groups: { why: 'no right' } }, 'container groups could not be listed: no right'],
  ])('names what somebody should look at: %s', (_, change, problem) => {
    const { troubles } = agentReport({ ...good, ...change });
    expect(troubles.map((one) => one.problem)).toEqual([expect.stringContaining(problem)]);
  });

  it('judges no roots of a key vault, and nothing where there is neither an image nor a package', () => {
    expect(agentReport({ ...good, keys: 'vault' })).toMatchObject({ roots: 'vault', troubles: [] });
    const none = { packaged: undefined, image: undefined, keys: undefined, groups: [], inRegistry: new Map() };
    expect(agentReport({ ...good, ...none })).toMatchObject({ packaged: null, image: null, roots: null, troubles: [] });
  });
});
