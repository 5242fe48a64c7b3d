import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findAgentFolder, readPackagedAgent } from '../../cli/delivery/packaged-agent.ts';
import { defaultRepository, imageReference } from '../../cli/delivery/publish-agent.ts';
import { pushImage } from '../../cli/delivery/push-image.ts';
import { registryRun } from '../../cli/delivery/registry-run.ts';
import { firstRoot, rootBytes } from '../../../shared/core/agent/key.ts';
import { describeFault } from '../../../shared/core/fault.ts';
import { formatRootKeys, parseRootKeys } from '../../../shared/wire/agent-settings.ts';
import { registryEndpoints } from '../../../shared/wire/registry-settings.ts';
import type { Progress } from '../../cli/progress.ts';
import { readOrEmpty } from '../../package/files.ts';
import { localRegistry } from '../registry/catalog.ts';

export interface AgentGround {
  readonly dir: string;
  /** As the app's setting `REGISTRY_ENDPOINTS`; undefined: this cloud has no registry. */
  readonly registries: string | undefined;
  /** Where the packaged agent is, unless it is that of this working copy. */
  readonly folder?: string;
}

/**
 * What the app's settings say of the agent: its image, brought into the cloud's registry as `agent publish` does, and
 * roots of keys that stay with the cloud's folder, so that groups of an earlier start are still understood.
 */
export async function bringUpAgent(
  { dir, registries, folder }: AgentGround,
  progress: Progress,
): Promise<Readonly<Record<string, string>>> {
  const roots = { AGENT_ROOT_KEYS: rootsOf(join(dir, 'agent-roots.json')) };
  if (findAgentFolder(folder) === undefined) {
    progress.line('no agent, which a Go that is new enough builds: pods that need it are refused');
    return roots;
  }
  if (registries === undefined) return roots;
  return progress.step('agent', async (report) => {
    const agent = readPackagedAgent(folder);
    const place = { registry: localRegistry, repository: defaultRepository };
    const settings = {
      REGISTRY_ENDPOINTS: registryEndpoints.parse(registries),
      REGISTRY_CERTIFICATE_AUTHORITY_FILE: undefined,
    };
    const run = registryRun(localRegistry, settings, { signal: AbortSignal.timeout(60_000), report });
    const pushed = await pushImage({ ...place, tag: agent.tag, logins: [] }, agent.image, run);
    if (!pushed.ok) throw new Error(`the agent could not be brought: ${describeFault(pushed.fault)}`);
    const image = imageReference(place, agent);
    report(image);
    return { ...roots, AGENT_IMAGE: image };
  });
}

function rootsOf(file: string): string {
  const kept = readOrEmpty(file);
  if (parseRootKeys(kept) !== undefined) return kept.trim();
  const text = formatRootKeys(firstRoot(randomBytes(rootBytes)));
  writeFileSync(file, `${text}\n`, { mode: 0o600 });
  return text;
}
