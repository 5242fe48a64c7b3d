import { tagNames } from '../group/identity.ts';
import type { AgentKeyName } from './access.ts';

/** What a group's tags say of the agent in it. */
export interface AgentTags extends AgentKeyName {
  /** `sha256:…` of the image, or of the program that was downloaded: kept while a tag names it. */
  readonly digest: string;
}

export const agentTags = ({ digest, kid, nonce }: AgentTags): Readonly<Record<string, string>> => ({
  [tagNames.agent]: digest,
  [tagNames.agentKey]: `${kid}/${nonce}`,
});

/** Undefined: the group has no agent, or none that could be spoken to. */
export function readAgentTags(tags: Readonly<Record<string, string>>): AgentTags | undefined {
  const [kid = '', nonce = '', ...more] = (tags[tagNames.agentKey] ?? '').split('/');
  const digest = tags[tagNames.agent] ?? '';
  return digest === '' || kid === '' || nonce === '' || more.length > 0 ? undefined : { digest, kid, nonce };
}

/** Which key the agents of a group have, if it has any. */
export function readAgentKey(tags: Readonly<Record<string, string>>): AgentKeyName | undefined {
  const read = readAgentTags(tags);
  return read && { kid: read.kid, nonce: read.nonce };
}
