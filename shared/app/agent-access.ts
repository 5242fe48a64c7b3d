import { agentAccess, keyOfPut } from '../core/agent/access.ts';
import type { AgentKeyName } from '../core/agent/access.ts';
import type { AgentAccess } from '../core/agent/agent-facts.ts';
import { nonceBytes } from '../core/agent/key.ts';
import type { RootKeys } from '../core/agent/key.ts';

/**
 * What the agents of a group that is about to be PUT speak to the app with. `former`: of a PUT of the same pod that may or
 * may not have landed. Undefined: the app has no roots of keys, or does not know where it is reached.
 */
export type AgentAccessOf = (podUid: string, former: AgentKeyName | undefined) => AgentAccess | undefined;

interface AccessConfig {
  readonly appUrl: string | undefined;
  readonly keys: RootKeys | undefined;
  /** Bytes that nobody can guess. */
  readonly draw: (count: number) => Uint8Array;
}

export const createAgentAccess =
  ({ appUrl, keys, draw }: AccessConfig): AgentAccessOf =>
  (podUid, former) =>
    appUrl === undefined || keys === undefined
      ? undefined
      : agentAccess({ appUrl, keys }, podUid, keyOfPut(keys, former, draw(nonceBytes)));
