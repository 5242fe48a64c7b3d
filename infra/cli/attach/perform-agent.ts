import { findAgentFolder, readPackagedAgent } from '../delivery/packaged-agent.ts';
import { imageReference, pushAgent, writeAgentSettings } from '../delivery/publish-agent.ts';
import type { DeliveryContext } from '../delivery/publish-agent.ts';
import type { AppSettings } from '../app-settings.ts';
import { Stop } from '../stop.ts';
import { planAgent } from './agent-plan.ts';
import type { AgentPlan } from './agent-plan.ts';

export interface AgentWork {
  readonly plan: AgentPlan;
  /** Undefined: there is none, or it is left alone. */
  readonly folder: string | undefined;
}

/** What is to be done of the agent; undefined where the settings are a file's, whose app somebody else looks after. */
export function planAgentWork(
  app: AppSettings,
  { given, registries }: { readonly given: string | undefined; readonly registries: readonly string[] },
): AgentWork | undefined {
  if (app.source.kind === 'file') return undefined;
  const folder = given === 'none' ? undefined : findAgentFolder(given);
  const hasRoots = (app.values['AGENT_ROOT_KEYS'] ?? '') !== '';
  const { settings } = app;
  return { plan: planAgent({ given, isPackaged: folder !== undefined, registries, settings, hasRoots }), folder };
}

/** For a person: what would be done, after "would". */
export function describeAgentWork(work: AgentWork | undefined): readonly string[] {
  if (work === undefined) return [];
  const { place, makesRoot } = work.plan;
  return [
    ...(place === undefined
      ? []
      : [`push the agent's image to ${place.registry}/${place.repository}, and name it in AGENT_IMAGE`]),
    ...(makesRoot ? ['make the first root of agents’ keys, in AGENT_ROOT_KEYS'] : []),
  ];
}

/**
 * Brings the agent and names it to the app; answers what was changed. Nodes do without it: whatever is in the way is said,
 * and `attach` goes on.
 */
export async function provideAgent(
  context: DeliveryContext,
  app: AppSettings,
  work: AgentWork | undefined,
): Promise<readonly string[]> {
  if (work === undefined) return [];
  const { plan, folder } = work;
  if (plan.remark !== undefined) context.out.warn(plan.remark);
  try {
    const image = await pushed(context, app, { plan, folder });
    if (image === undefined && !plan.makesRoot) return [];
    const names = await writeAgentSettings(context, app, { image, makesRoot: plan.makesRoot });
    return names.map((name) => `${name} written`);
  } catch (error) {
    if (!(error instanceof Stop) || context.signal.aborted) throw error;
    context.out.warn(`${error.message}: pods that need the agent are refused\n  → ${error.fix ?? 'agent publish'}`);
    return [];
  }
}

async function pushed(
  context: DeliveryContext,
  { settings }: AppSettings,
  work: AgentWork,
): Promise<string | undefined> {
  const { place } = work.plan;
  if (place === undefined) return undefined;
  const agent = readPackagedAgent(work.folder);
  await pushAgent(context, agent, { place, settings });
  return imageReference(place, agent);
}
