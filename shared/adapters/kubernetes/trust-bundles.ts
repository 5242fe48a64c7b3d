import { fail, ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import type { TrustBundleSelector } from '../../core/kubernetes/trust-bundle.ts';
import { parseResourceNames, parseTrustBundle, parseVersions } from '../../wire/kubernetes/trust-bundle.ts';
import { request } from './http.ts';
import type { KubernetesClient } from './http.ts';
import { list } from './list.ts';
import { apiPath, selectorValue } from './path.ts';

const group = 'certificates.k8s.io';
/** Each may have a megabyte. */
const pageSize = 20;
const plural = 'clustertrustbundles';
/** Of these the first that is served. */
const versions = ['v1', 'v1beta1'];

/** `NodeApi.listTrustBundles`. By a list also for one name: a server that does not serve them answers a GET as an absent one. */
export async function listTrustBundles(
  client: KubernetesClient,
  selector: TrustBundleSelector,
  signal: AbortSignal,
): Promise<Result<readonly string[]>> {
  const version = await servedVersion(client, signal);
  if (!version.ok) return version;
  if (version.value === undefined)
    return fail({ kind: 'not-found', code: 'NotServed', message: `the API server serves no ${plural}.${group}` });
  const path = apiPath('apis', group, version.value, plural);
  return list(
    client,
    { path, kind: 'ClusterTrustBundleList', parseItem: parseTrustBundle, pageSize, ...queryOf(selector) },
    signal,
  );
}

const queryOf = (selector: TrustBundleSelector): { readonly fieldSelector: string; readonly labelSelector?: string } =>
  selector.kind === 'name'
    ? { fieldSelector: `metadata.name=${selectorValue(selector.name)}` }
    : {
        fieldSelector: `spec.signerName=${selectorValue(selector.signerName)}`,
        ...(selector.labels !== '' && { labelSelector: selector.labels }),
      };

/** A version may be served without this resource: it is behind a feature gate. */
async function servedVersion(client: KubernetesClient, signal: AbortSignal): Promise<Result<string | undefined>> {
  const found = await request(client, { method: 'GET', path: '/apis' }, (json) => parseVersions(json, group), signal);
  if (!found.ok) return found;
  for (const version of versions.filter((one) => found.value.includes(one))) {
    const path = apiPath('apis', group, version);
    const names = await request(client, { method: 'GET', path }, parseResourceNames, signal);
    if (!names.ok) return names;
    if (names.value.includes(plural)) return ok(version);
  }
  return ok(undefined);
}
