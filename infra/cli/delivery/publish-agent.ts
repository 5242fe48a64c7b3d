import { randomBytes } from 'node:crypto';
import { firstRoot, rootBytes } from '../../../shared/core/agent/key.ts';
import { formatRootKeys } from '../../../shared/wire/agent-settings.ts';
import type { AppSettings } from '../app-settings.ts';
import { azDenied } from '../azure-cli.ts';
import type { CliContext } from '../context.ts';
import { changeSettings } from '../setting-writer.ts';
import { failure } from '../stop.ts';
import { dockerLogins } from './docker-logins.ts';
import type { PackagedAgent } from './packaged-agent.ts';
import { pushImage } from './push-image.ts';
import type { Pushed } from './push-image.ts';
import { pushStop } from './push-stop.ts';
import { registryRun } from './registry-run.ts';
import type { RegistrySettings } from './registry-run.ts';

export type DeliveryContext = Pick<CliContext, 'az' | 'out' | 'environment' | 'signal'>;

/** Where the agent's image goes. */
export interface AgentPlace {
  readonly registry: string;
  readonly repository: string;
}

export const defaultRepository = 'serverless-kubelet/agent';

/** As the app's setting AGENT_IMAGE has it. */
export const imageReference = ({ registry, repository }: AgentPlace, { image }: PackagedAgent): string =>
  `${registry}/${repository}@${image.digest}`;

/** Brings the image. Idempotent; throws a `Stop` that says what is in the way. */
export function pushAgent(
  { out, environment, signal }: DeliveryContext,
  agent: PackagedAgent,
  { place, settings }: { readonly place: AgentPlace; readonly settings: RegistrySettings },
): Promise<Pushed> {
  return out.progress.step(`agent to ${place.registry}`, async (report) => {
    const run = registryRun(place.registry, settings, { signal, report });
    const target = { ...place, tag: agent.tag, logins: await dockerLogins(place, environment, signal) };
    const pushed = await pushImage(target, agent.image, run);
    signal.throwIfAborted();
    if (!pushed.ok) throw pushStop(pushed.fault, target);
    report(pushed.value === 'there' ? 'already there' : `pushed, ${place.repository}:${agent.tag}`);
    return pushed.value;
  });
}

/** What the app's settings are to say. */
export interface AgentSettings {
  /** Undefined: as they do. */
  readonly image: string | undefined;
  /** Whether there is to be a root of keys, where there is none. */
  readonly makesRoot: boolean;
}

/** Those that the app still lacks. */
function missingSettings(
  { values }: AppSettings,
  { image, makesRoot }: AgentSettings,
): Readonly<Record<string, string>> {
  const hasRoot = (values['AGENT_ROOT_KEYS'] ?? '') !== '';
  return {
    ...(image === undefined || values['AGENT_IMAGE'] === image ? {} : { AGENT_IMAGE: image }),
    ...(makesRoot && !hasRoot ? { AGENT_ROOT_KEYS: formatRootKeys(firstRoot(randomBytes(rootBytes))) } : {}),
  };
}

/** Writes what is missing, all at once, as the app restarts for each time; answers the names. */
export async function writeAgentSettings(
  { az, out }: Pick<DeliveryContext, 'az' | 'out'>,
  app: AppSettings,
  wanted: AgentSettings,
): Promise<readonly string[]> {
  const missing = missingSettings(app, wanted);
  const names = Object.keys(missing);
  if (names.length === 0) return names;
  return out.progress.step('settings of the agent', async (report) => {
    try {
      await changeSettings(app.source, missing, az);
    } catch (error) {
      if (azDenied(error)) throw deniedStop(names, wanted.image);
      throw error;
    }
    report(names.join(', '));
    return names;
  });
}

const deniedStop = (names: readonly string[], image: string | undefined): Error =>
  failure(
    `your account may not write the settings of the app: ${names.join(', ')}`,
    `ask for the role Website Contributor at the app, or have somebody run the same command who has it${image === undefined ? '' : `; the image is ${image}`}`,
  );
