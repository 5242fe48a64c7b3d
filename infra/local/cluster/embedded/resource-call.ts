import type { KnownTokens } from '../../../../shared/adapters/memory/api-server/reviews.ts';
import type { User } from '../../../../shared/adapters/memory/api-server/user.ts';
import type { RequestPath } from './request-path.ts';

export type ResourcePath = Extract<RequestPath, { kind: 'resource' }>;

/** One request, read whole. */
export interface ResourceCall {
  readonly user: User;
  readonly method: string;
  readonly path: ResourcePath;
  readonly query: URLSearchParams;
  readonly mediaType: string;
  readonly body: Buffer;
  /** The client takes a table. */
  readonly wantsTable: boolean;
  readonly known: KnownTokens;
}
