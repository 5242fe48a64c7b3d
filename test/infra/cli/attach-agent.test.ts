import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planAgent } from '../../../infra/cli/attach/agent-plan.ts';
import type { AgentQuestion } from '../../../infra/cli/attach/agent-plan.ts';
import { describeAgentWork, planAgentWork, provideAgent } from '../../../infra/cli/attach/perform-agent.ts';
import { createOutput } from '../../../infra/cli/output.ts';
import { agentFiles, writeAgentFiles } from '../../../infra/package/agent-package.ts';
import { parseRootKeys } from '../../../shared/wire/agent-settings.ts';
import { parseSettings } from '../../../shared/wire/settings.ts';
import { errorOf, smallRegistry } from '../../adapters/registry/small-registry.ts';
import type { Answer } from '../../adapters/registry/small-registry.ts';
import { settingsOf } from '../../fixtures/settings.ts';
import { azureOver, newAzure } from './azure-stand-in.ts';
import { empty, keeping } from './delivery/keeping-registry.ts';

const acr = 'prodimages.azurecr.io';
const image = (registry: string): string => `${registry}/platform/agent@sha256:${'a'.repeat(64)}`;
const question: AgentQuestion = {
  given: undefined,
  isPackaged: true,
  registries: [acr, 'teamimages.azurecr.io'],
  settings: { AGENT_IMAGE: undefined, AGENT_DOWNLOAD: 'auto', ACI_SUBNET_ID: 'a subnet' },
  hasRoots: false,
};
const settings = (more: Partial<AgentQuestion['settings']>) => ({ settings: { ...question.settings, ...more } });

describe('what attach plans for the agent', () => {
  it.each<[string, Partial<AgentQuestion>, string | undefined, boolean]>([
    ['the first registry of --acr, and a root', {}, `${acr}/serverless-kubelet/agent`, true],
    ['no root where there is one', { hasRoots: true }, `${acr}/serverless-kubelet/agent`, false],
    [
      'where the app has it already',
      settings({ AGENT_IMAGE: image('teamimages.azurecr.io') }),
      'teamimages.azurecr.io/platform/agent',
      true,
    ],
    ['nothing where the app has it elsewhere', settings({ AGENT_IMAGE: image('quay.io') }), undefined, true],
    ['nothing without --acr in a subnet', { registries: [] }, undefined, false],
    [
      'a root for downloads outside of a subnet',
      { registries: [], ...settings({ ACI_SUBNET_ID: undefined }) },
      undefined,
      true,
    ],
    [
      'a root for downloads in a subnet too',
      { registries: [], ...settings({ AGENT_DOWNLOAD: 'always' }) },
      undefined,
      true,
    ],
    [
      'no root where downloads are off',
      { registries: [], ...settings({ ACI_SUBNET_ID: undefined, AGENT_DOWNLOAD: 'never' }) },
      undefined,
      false,
    ],
    ['nothing where there is none', { isPackaged: false }, undefined, false],
    ['nothing with --agent none', { given: 'none' }, undefined, false],
  ])('%s', (_, change, place, makesRoot) => {
    const plan = planAgent({ ...question, ...change });
    expect(plan.place && `${plan.place.registry}/${plan.place.repository}`).toBe(place);
    expect(plan.makesRoot).toBe(makesRoot);
  });

  it('and says why not, where --acr asked for it', () => {
    const remark = (change: Partial<AgentQuestion>) => planAgent({ ...question, ...change }).remark;
    expect(remark({})).toBeUndefined();
    expect(remark({ isPackaged: false })).toMatch(/^the agent is not in this package/);
    expect(remark({ isPackaged: false, registries: [] })).toBeUndefined();
    expect(remark(settings({ AGENT_IMAGE: image('quay.io') }))).toMatch(/stays where it is, quay\.io\/platform/);
    expect(remark({ given: 'none', isPackaged: false })).toBeUndefined();
  });
});

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'attach-agent-'));
  writeAgentFiles(folder, agentFiles(Buffer.from('a program'), '1.2.3'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const source = { kind: 'azure', app: 'kubelet', resourceGroup: 'apps', subscription: undefined } as const;

/** An app whose registry is at that origin, over an Azure in memory. */
function place(origin: string) {
  const state = newAzure();
  const { az, changes } = azureOver(state);
  const said: string[] = [];
  const stream = { write: (text: string) => void said.push(text) };
  const out = createOutput({ stdout: stream, stderr: stream, format: 'table', environment: {} });
  const run = async (given = folder) => {
    const values = settingsOf(undefined, { REGISTRY_ENDPOINTS: `${acr}=${origin}`, ...state.settings });
    const parsed = parseSettings(values);
    if (!parsed.ok) throw new Error('the settings are not valid');
    const app = { source, values, settings: parsed.settings };
    const work = planAgentWork(app, { given, registries: [acr] });
    const context = { az, out, environment: {}, signal: AbortSignal.timeout(20_000) };
    return { would: describeAgentWork(work), done: await provideAgent(context, app, work) };
  };
  return { state, changes, said, run };
}

const full: Answer = ({ method }) =>
  method === 'POST' ? errorOf(405, 'UNSUPPORTED', 'locked') : errorOf(404, 'NAME_UNKNOWN', 'none');

describe('attach --acr, for the agent', () => {
  it('brings the image and writes its name and a root at once; the second time it does nothing', async () => {
    await using registry = await smallRegistry(keeping(empty()));
    const { state, changes, run } = place(registry.origin);
    const { would, done } = await run();
    expect(would).toEqual([
      `push the agent's image to ${acr}/serverless-kubelet/agent, and name it in AGENT_IMAGE`,
      'make the first root of agents’ keys, in AGENT_ROOT_KEYS',
    ]);
    expect(done).toEqual(['AGENT_IMAGE written', 'AGENT_ROOT_KEYS written']);
    const { image } = JSON.parse(readFileSync(join(folder, 'agent.json'), 'utf8'));
    expect(state.settings['AGENT_IMAGE']).toBe(`${acr}/serverless-kubelet/agent@${image.digest}`);
    expect(parseRootKeys(state.settings['AGENT_ROOT_KEYS'] ?? '')).toBeDefined();
    expect(changes).toHaveLength(1);
    expect((await run()).done).toEqual([]);
    expect(changes).toHaveLength(1);
  });

  it('goes on with a warning where the registry takes nothing', async () => {
    await using registry = await smallRegistry(full);
    const { state, said, run } = place(registry.origin);
    expect((await run()).done).toEqual([]);
    expect(said.join('')).toMatch(
      /warning: the agent's image is not in .*: pods that need the agent are refused\n {2}→ it is read-only or locked/,
    );
    expect(state.settings).toEqual({});
  });

  it('goes on with a warning where the settings may not be written', async () => {
    await using registry = await smallRegistry(keeping(empty()));
    const { state, said, run } = place(registry.origin);
    state.denied.push('functionapp config appsettings set');
    expect((await run()).done).toEqual([]);
    expect(said.join('')).toContain('your account may not write the settings of the app: AGENT_IMAGE, AGENT_ROOT_KEYS');
  });

  it('leaves the settings of a file to whoever made it', () => {
    const parsed = parseSettings(settingsOf());
    if (!parsed.ok) throw new Error('the settings are not valid');
    const app = { source: { kind: 'file', file: 'f' } as const, values: {}, settings: parsed.settings };
    expect(planAgentWork(app, { given: folder, registries: [] })).toBeUndefined();
  });
});
