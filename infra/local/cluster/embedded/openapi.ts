/**
 * As much of OpenAPI v3 as reports kubectl that the server validates: it looks for `fieldValidation` among the parameters
 * of each kind's PATCH, and then sends manifests as they are. No schemas.
 */
import { resources } from '../../sim/api-server/resources.ts';
import type { Resource } from '../../sim/api-server/resources.ts';
import type { JsonObject } from '../../../../shared/core/json.ts';

const pathOf = ({ group, version }: Resource): string => (group === '' ? `api/${version}` : `apis/${group}/${version}`);
const paths = (): readonly string[] => [...new Set(resources.map(pathOf))];

export const openApiIndex = (): JsonObject => ({
  paths: Object.fromEntries(paths().map((path) => [path, { serverRelativeURL: `/openapi/v3/${path}` }])),
});

/** Of one group's version, e.g. `api/v1`. */
export function openApiOf(path: string): JsonObject | undefined {
  if (!paths().includes(path)) return undefined;
  const served = resources.filter((one) => pathOf(one) === path && one.storage !== 'review');
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'embedded' },
    paths: Object.fromEntries(served.map((one) => [objectPath(one), { patch: patchOperation(one) }])),
    components: { schemas: {} },
  };
}

const objectPath = (resource: Resource): string =>
  `/${pathOf(resource)}/${resource.isNamespaced ? 'namespaces/{namespace}/' : ''}${resource.plural}/{name}`;

const patchOperation = ({ group, version, kind }: Resource): JsonObject => ({
  operationId: `patch${kind}`,
  parameters: [{ name: 'fieldValidation', in: 'query', schema: { type: 'string', uniqueItems: true } }],
  responses: { '200': { description: 'OK' } },
  'x-kubernetes-action': 'patch',
  'x-kubernetes-group-version-kind': { group, version, kind },
});
