import pLimit from 'p-limit';
import { ok } from '../core/fault.ts';
import type { Result } from '../core/fault.ts';
import type { References, ResolvedReferences } from '../core/pod/translation.ts';
import type { PodToken, ServiceInfo } from '../core/kubernetes/references.ts';
import type { NodeApi } from '../ports/node-api.ts';

const atOnce = 6;

/**
 * Reads what a pod refers to, as its node. A name that does not exist is simply missing from the maps; any other fault
 * ends the whole, since a group must never be made from half of what the pod asks for.
 */
export async function resolveReferences(
  api: NodeApi,
  namespace: string,
  references: References,
  signal: AbortSignal,
): Promise<Result<ResolvedReferences>> {
  const limit = pLimit(atOnce);
  const [configMaps, secrets, services, tokens] = await Promise.all([
    readAll(references.configMaps, (name) => limit(() => api.getConfigMap({ namespace, name }, signal))),
    readAll(references.secrets, (name) => limit(() => api.getSecret({ namespace, name }, signal))),
    references.services ? readServices(api, namespace, signal) : ok<readonly ServiceInfo[]>([]),
    Promise.all(references.tokens.map((request) => limit(() => api.createToken(request, signal)))),
  ]);
  if (!configMaps.ok) return configMaps;
  if (!secrets.ok) return secrets;
  if (!services.ok) return services;
  const values: PodToken[] = [];
  for (const token of tokens) {
    if (!token.ok) return token;
    values.push(token.value);
  }
  return ok({ configMaps: configMaps.value, secrets: secrets.value, services: services.value, tokens: values });
}

async function readAll<T>(
  names: readonly string[],
  read: (name: string) => Promise<Result<T>>,
): Promise<Result<ReadonlyMap<string, T>>> {
  const found = new Map<string, T>();
  const answers = await Promise.all(names.map(async (name) => ({ name, answer: await read(name) })));
  for (const { name, answer } of answers) {
    if (answer.ok) found.set(name, answer.value);
    else if (answer.fault.kind !== 'not-found') return answer;
  }
  return ok(found);
}

/** Every pod sees `default/kubernetes`, whatever its namespace. */
async function readServices(
  api: NodeApi,
  namespace: string,
  signal: AbortSignal,
): Promise<Result<readonly ServiceInfo[]>> {
  const own = await api.listServices(namespace, signal);
  if (!own.ok || namespace === 'default') return own;
  const common = await api.listServices('default', signal);
  return common.ok ? ok([...own.value, ...common.value.filter((service) => service.name === 'kubernetes')]) : common;
}
