import { imageLocation } from '../../../shared/core/pod/image-reference.ts';
import type { Settings } from '../../../shared/wire/settings.ts';
import { defaultRepository } from '../delivery/publish-agent.ts';
import type { AgentPlace } from '../delivery/publish-agent.ts';

/** What decides whether, and whereto, the agent is brought. */
export interface AgentQuestion {
  /** `none`: an operator wants it left alone. */
  readonly given: string | undefined;
  /** Whether there is one to be brought. */
  readonly isPackaged: boolean;
  /** Login servers of `--acr`, in their order. */
  readonly registries: readonly string[];
  readonly settings: Pick<Settings, 'AGENT_IMAGE' | 'AGENT_DOWNLOAD' | 'ACI_SUBNET_ID'>;
  readonly hasRoots: boolean;
}

export interface AgentPlan {
  /** Where the image goes; undefined: it is not brought. */
  readonly place: AgentPlace | undefined;
  /** Whether the first root of keys is to be made: only where pods can get the agent. */
  readonly makesRoot: boolean;
  /** Why it is not brought, for a person; undefined: it is, or nobody asked for it. */
  readonly remark: string | undefined;
}

/** What `attach` does of the agent. An image that the app uses already stays where it is. Pure. */
export function planAgent({ given, isPackaged, registries, settings, hasRoots }: AgentQuestion): AgentPlan {
  if (given === 'none') return { place: undefined, makesRoot: false, remark: undefined };
  const { AGENT_IMAGE: image, AGENT_DOWNLOAD: download, ACI_SUBNET_ID: subnet } = settings;
  const used = image === undefined ? undefined : imageLocation(image);
  const place = placeOf(registries, used && { registry: used.host, repository: used.path });
  const isDownloaded = download === 'always' || (download === 'auto' && subnet === undefined);
  return {
    place: isPackaged ? place : undefined,
    makesRoot: !hasRoots && (image !== undefined || isDownloaded || (isPackaged && place !== undefined)),
    remark: registries.length === 0 ? undefined : remarkOf(isPackaged, place, image),
  };
}

function placeOf(registries: readonly string[], used: AgentPlace | undefined): AgentPlace | undefined {
  const [first] = registries;
  if (first === undefined) return undefined;
  if (used === undefined) return { registry: first, repository: defaultRepository };
  return registries.includes(used.registry) ? used : undefined;
}

function remarkOf(isPackaged: boolean, place: AgentPlace | undefined, image: string | undefined): string | undefined {
  if (!isPackaged)
    return 'the agent is not in this package, so it is not brought: pods that need it are refused, unless the app has an image of it (agent status)';
  return place === undefined
    ? `the agent's image stays where it is, ${image}: agent publish brings another one, wherever you say`
    : undefined;
}
