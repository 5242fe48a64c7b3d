import type { JsonObject } from '../../../../shared/core/json.ts';
import { objectAt, objectsAt, specOf, textAt } from './json-access.ts';

export interface PodReferences {
  readonly secrets: ReadonlySet<string>;
  readonly configMaps: ReadonlySet<string>;
}

const known = new WeakMap<JsonObject, PodReferences>();

/** The Secrets and ConfigMaps that a pod's spec names anywhere, as the Node authorizer's graph has them. */
export function namedBy(pod: JsonObject): PodReferences {
  const spec = specOf(pod);
  const before = known.get(spec);
  if (before !== undefined) return before;
  const secrets = new Set<string>();
  const configMaps = new Set<string>();
  const add = (to: Set<string>, name: string): void => void (name === '' || to.add(name));
  for (const list of ['containers', 'initContainers', 'ephemeralContainers'])
    for (const container of objectsAt(spec, list)) {
      for (const variable of objectsAt(container, 'env')) {
        const from = objectAt(variable, 'valueFrom');
        add(secrets, textAt(objectAt(from, 'secretKeyRef'), 'name'));
        add(configMaps, textAt(objectAt(from, 'configMapKeyRef'), 'name'));
      }
      for (const from of objectsAt(container, 'envFrom')) {
        add(secrets, textAt(objectAt(from, 'secretRef'), 'name'));
        add(configMaps, textAt(objectAt(from, 'configMapRef'), 'name'));
      }
    }
  for (const secret of objectsAt(spec, 'imagePullSecrets')) add(secrets, textAt(secret, 'name'));
  for (const volume of objectsAt(spec, 'volumes'))
    for (const source of [volume, ...objectsAt(objectAt(volume, 'projected'), 'sources')]) {
      const secret = objectAt(source, 'secret');
      add(secrets, textAt(secret, 'secretName') || textAt(secret, 'name'));
      add(configMaps, textAt(objectAt(source, 'configMap'), 'name'));
      for (const holder of ['azureFile', 'csi'] as const) add(secrets, secretOf(objectAt(source, holder)));
    }
  const references = { secrets, configMaps };
  known.set(spec, references);
  return references;
}

const secretOf = (source: JsonObject): string =>
  textAt(source, 'secretName') || textAt(objectAt(source, 'nodePublishSecretRef'), 'name');
