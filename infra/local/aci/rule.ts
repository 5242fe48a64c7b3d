import { frontDoor } from './errors.ts';
import type { ArmFault } from './errors.ts';
import type { GroupBody } from './wire.ts';

export interface GroupContext {
  readonly name: string;
  readonly body: GroupBody;
  /** Subnets known not to be delegated, lower case. */
  readonly undelegatedSubnets: ReadonlySet<string>;
  /** Whether the region has the sku Confidential; it has unless given. */
  readonly confidential?: boolean;
}

/** What one rule finds wrong in a parsed body. */
export type Rule = (context: GroupContext) => ArmFault | undefined;

/** Answers with a code that is not recorded anywhere; only the status is dependable. */
export function content(message: string): ArmFault {
  return frontDoor.invalidContent(message);
}

export function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}
