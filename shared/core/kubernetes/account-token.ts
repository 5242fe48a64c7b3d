import type { JsonObject } from '../json.ts';
import { objectsAt, textAt } from '../json-access.ts';

const tokenFolder = '/var/run/secrets/kubernetes.io/serviceaccount';
/** What the admission plugin asks for: an hour, and seven seconds by which it is reported from a user's own. */
const tokenSeconds = 3607;

/** What the admission plugin ServiceAccount adds to a spec: the projected volume, in each container that mounts nothing there itself. */
export function withAccountToken(spec: JsonObject, volume: string): JsonObject {
  let isUsed = false;
  const mounted = (container: JsonObject): JsonObject => {
    const mounts = objectsAt(container, 'volumeMounts');
    if (mounts.some((mount) => textAt(mount, 'mountPath') === tokenFolder)) return container;
    isUsed = true;
    return { ...container, volumeMounts: [...mounts, { name: volume, readOnly: true, mountPath: tokenFolder }] };
  };
  const lists = ['containers', 'initContainers']
    .filter((list) => spec[list] !== undefined)
    .map((list): [string, readonly JsonObject[]] => [list, objectsAt(spec, list).map(mounted)]);
  if (!isUsed) return spec;
  return { ...spec, ...Object.fromEntries(lists), volumes: [...objectsAt(spec, 'volumes'), accessVolume(volume)] };
}

const accessVolume = (name: string): JsonObject => ({
  name,
  projected: {
    defaultMode: 0o644,
    sources: [
      { serviceAccountToken: { expirationSeconds: tokenSeconds, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      {
        downwardAPI: {
          items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
        },
      },
    ],
  },
});
