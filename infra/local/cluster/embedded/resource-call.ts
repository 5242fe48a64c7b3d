import { methodNotAllowed } from '../../sim/api-server/status-error.ts';
import type { StatusError } from '../../sim/api-server/status-error.ts';
import type { Resource } from '../../sim/api-server/resources.ts';
import type { KnownTokens } from '../../sim/api-server/reviews.ts';
import type { User } from '../../sim/api-server/user.ts';
import type { RequestPath } from './request-path.ts';

export type ResourcePath = Extract<RequestPath, { kind: 'resource' }>;

/** What a person tries that is not here, and what has it. */
export const notServed = ({ plural }: Pick<Resource, 'plural'>, subresource: string): StatusError =>
  methodNotAllowed(`the embedded cluster has no ${plural}/${subresource}; a real one has: npm start -- --cluster real`);

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
