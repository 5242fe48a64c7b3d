import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ScriptedBehaviour } from '../../../infra/local/aci/runtime/scripted.ts';
import { allocatePort } from '../../../infra/local/ports.ts';
import { agentSource } from '../../../infra/package/agent-binary.ts';
import { firstRoot, rootBytes } from '../../../shared/core/agent/key.ts';
import type { RootKeys } from '../../../shared/core/agent/key.ts';
import { formatRootKeys } from '../../../shared/wire/agent-settings.ts';
import { repository } from './bundles.ts';

/** What an app with the agent knows, and the cloud around it. */
export interface AgentGround {
  readonly keys: RootKeys;
  /** Where the app is reached, known before it starts: groups have it in their orders. */
  readonly appUrl: string;
  readonly port: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, ScriptedBehaviour>>;
}

const agentImage = `registry.example/agent@sha256:${'a'.repeat(64)}`;
/** Of `podManifest`; nobody can be asked for it. */
const jobImage = 'registry.example/job:1';

/** `install` has nothing to do where the agents are no containers: in the cloud it ends at once. */
export async function agentGround(): Promise<AgentGround> {
  const keys = firstRoot(randomBytes(rootBytes));
  const port = await allocatePort();
  const appUrl = `http://127.0.0.1:${port}`;
  return {
    keys,
    appUrl,
    port,
    settings: {
      APP_URL: appUrl,
      AGENT_IMAGE: agentImage,
      AGENT_ROOT_KEYS: formatRootKeys(keys),
      IMAGE_CONFIGS: JSON.stringify({ [jobImage]: {} }),
    },
    scripts: { [agentImage]: { runs: [{ runMs: 100, exitCode: 0 }] } },
  };
}

/** The agent as it is packaged; an error where it can't be made. */
export async function makeAgent(dir: string): Promise<string> {
  const source = await agentSource(repository);
  if (source === undefined) throw new Error('there is no Go that is new enough for the agent, and no AGENT_BINARY');
  mkdirSync(dir, { recursive: true });
  const file = join(dir, 'sk');
  writeFileSync(file, await source.program());
  chmodSync(file, 0o755);
  return file;
}
