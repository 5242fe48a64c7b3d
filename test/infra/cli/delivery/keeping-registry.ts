import { digestOf, ociTypes } from '../../../../shared/core/image/stored-image.ts';
import { errorOf } from '../../../adapters/registry/small-registry.ts';
import type { Answer } from '../../../adapters/registry/small-registry.ts';

export interface Kept {
  readonly blobs: Map<string, string>;
  readonly manifests: Map<string, string>;
}

const lastOf = (path: string): string => decodeURIComponent(path.split('?')[0]?.split('/').at(-1) ?? '');

/** A registry that keeps what is pushed, as the specification has it. */
export const keeping =
  ({ blobs, manifests }: Kept): Answer =>
  ({ method, path, body }) => {
    if (method === 'POST')
      return { status: 202, headers: { location: '/v2/team/agent/blobs/uploads/7?_state=a%3D%3D' } };
    if (method === 'PUT' && path.includes('/uploads/')) {
      blobs.set(new URL(path, 'http://x').searchParams.get('digest') ?? '', body);
      return { status: 201 };
    }
    if (method === 'PUT') {
      manifests.set(lastOf(path), body);
      return { status: 201 };
    }
    const found = (path.includes('/blobs/') ? blobs : manifests).get(lastOf(path));
    if (found === undefined) return errorOf(404, 'MANIFEST_UNKNOWN', 'manifest unknown');
    return { headers: { 'docker-content-digest': digestOf(found), 'content-type': ociTypes.manifest } };
  };

export const empty = (): Kept => ({ blobs: new Map(), manifests: new Map() });
