import { imageRegistryOver } from '../../../../shared/adapters/registry/image-registry.ts';
import { describeFault } from '../../../../shared/core/fault.ts';
import { imageSource } from '../../../../shared/core/image/image-source.ts';
import { isVaultReference } from '../../../../shared/wire/agent-settings.ts';
import type { Settings } from '../../../../shared/wire/settings.ts';
import type { AppSettings } from '../../app-settings.ts';
import type { Command } from '../../command.ts';
import type { CliContext } from '../../context.ts';
import { dockerLogins } from '../../delivery/docker-logins.ts';
import { findAgentFolder, readPackagedAgent } from '../../delivery/packaged-agent.ts';
import { registryRun } from '../../delivery/registry-run.ts';
import { exitCodes } from '../../exit-code.ts';
import { faultClause } from '../../inspect/fault-reason.ts';
import { agentReport, digestIn, digestsOf } from './report.ts';
import type { AgentFacts, AgentReport, InRegistry } from './report.ts';

const help = `
Says which agent this program came with, which image of it the app gives to pods and whether the registry has it, which
images groups were made with, and which roots their keys are from. It changes nothing, and shows no key. What needs
somebody's attention ends it with 3.

  agent status --app kubelet --resource-group aci-pods
`;

export const agentStatusCommand: Command = {
  help,
  options: {
    agent: {
      type: 'string',
      value: 'DIR',
      description: "the agent's package (default: the one that comes with this program)",
    },
  },
  run: async (context) => {
    const app = await context.out.progress.step('settings of the app', () => context.app());
    const facts = await context.out.progress.step('groups and registry', () => gather(context, app));
    const report = agentReport(facts);
    if (!context.out.value(report)) print(context, report);
    return report.troubles.length === 0 ? exitCodes.done : exitCodes.attention;
  },
};

async function gather(context: CliContext, app: AppSettings): Promise<AgentFacts> {
  const { settings, values } = app;
  const given = context.options.text('agent');
  const packaged = findAgentFolder(given) === undefined && given === undefined ? undefined : readPackagedAgent(given);
  const listed = await (await context.groups()).list(context.signal);
  context.signal.throwIfAborted();
  const groups = listed.ok ? listed.value : { why: faultClause(listed.fault) };
  const digests = 'why' in groups ? [] : [...digestsOf(groups, settings.INSTALLATION).keys()];
  const { AGENT_IMAGE: image, AGENT_DOWNLOAD: download, INSTALLATION: installation } = settings;
  return {
    installation,
    packaged: packaged && { version: packaged.version, sha256: packaged.sha256, imageDigest: packaged.image.digest },
    image,
    download,
    keys: isVaultReference(values['AGENT_ROOT_KEYS'] ?? '') ? 'vault' : settings.AGENT_ROOT_KEYS,
    inRegistry: image === undefined ? new Map() : await askRegistry(context, settings, [image, ...digests]),
    groups,
  };
}

/** One is enough for a person: an upgrade leaves one or two. */
const mostAsked = 10;

/** Asks the registry of the first for it, and for the others in the same repository. */
async function askRegistry(
  { environment, signal }: CliContext,
  settings: Settings,
  [image = '', ...digests]: readonly string[],
): Promise<ReadonlyMap<string, InRegistry>> {
  const parsed = imageSource(image);
  if (!parsed.ok) return new Map();
  const { source } = parsed;
  const registry = imageRegistryOver(
    registryRun(source.registry, settings, { signal, report: () => undefined }).session,
  );
  const logins = await dockerLogins(source, environment, signal);
  const found = new Map<string, InRegistry>();
  for (const value of [...new Set([digestIn(image), ...digests])].slice(0, mostAsked)) {
    const answer = await registry.getDigest(
      { source: { ...source, reference: { kind: 'digest', value } }, logins },
      signal,
    );
    signal.throwIfAborted();
    if (answer.ok) found.set(value, answer.value === value ? { kind: 'there' } : { kind: 'gone' });
    else if (answer.fault.kind === 'not-found') found.set(value, { kind: 'gone' });
    else found.set(value, { kind: 'unknown', why: describeFault(answer.fault) });
  }
  return found;
}

function print({ out }: CliContext, report: AgentReport): void {
  const { packaged, image, download, roots, groups, troubles } = report;
  const isPackaged = image?.isPackaged === true ? ', that of this package' : '';
  out.table(
    ['AGENT', ''],
    [
      ['this package', packaged === null ? 'none' : `${packaged.version}, ${packaged.imageDigest}`],
      [
        'pods get',
        image === null ? `no image of it (AGENT_DOWNLOAD is ${download})` : `${image.reference}${isPackaged}`,
      ],
      ['in the registry', image === null ? '-' : image.registry],
      ['roots of keys', rootsText(roots)],
    ],
  );
  if (groups !== null && groups.length > 0)
    out.table(
      ['GROUPS', 'MADE WITH', 'IN THE REGISTRY'],
      groups.map((one) => [String(one.groups), one.digest, one.registry]),
    );
  for (const { problem, fix } of troubles) out.line(`${out.paint('yellow', '!')} ${problem}\n  → ${fix}`);
}

function rootsText(roots: AgentReport['roots']): string {
  if (roots === null) return 'none';
  if (roots === 'vault') return 'in a key vault';
  return roots
    .map(({ kid, isCurrent, groups }) => `${kid}${isCurrent ? ' (current)' : ''}: ${groups} groups`)
    .join(', ');
}
