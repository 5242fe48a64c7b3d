import type { StatusError } from '../../sim/api-server/status-error.ts';
import { forbidden, methodNotAllowed } from '../../sim/api-server/status-error.ts';
import { authenticatedGroup } from '../../sim/api-server/user.ts';
import type { User } from '../../sim/api-server/user.ts';

const everybodys = /^\/(healthz|livez|readyz|version)(\/|$)/;

/** Health and version are everybody's (`system:public-info-viewer`), discovery is every authenticated user's. */
export function authorizeDocument(user: User, method: string, path: string): StatusError | undefined {
  if (method !== 'GET' && method !== 'HEAD')
    return methodNotAllowed('the server does not allow this method on the requested resource');
  if (everybodys.test(path) || user.groups.includes(authenticatedGroup)) return undefined;
  return forbidden({ kind: path, name: '' }, `User "${user.name}" cannot get path "${path}"`);
}
