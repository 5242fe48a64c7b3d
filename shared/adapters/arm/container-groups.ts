import { fail, ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import type { ListedGroup } from '../../core/group/group.ts';
import type { AcceptedGroup, ContainerGroups, DeletedGroup, MetricsWindow } from '../../ports/container-groups.ts';
import { parseJson } from '../../wire/json-text.ts';
import { isResource, parseLogs, parseOperation, parseStreamSession, parseUsages } from '../../wire/arm/answers.ts';
import { parseGroup, parseGroupPage } from '../../wire/arm/group-answer.ts';
import { monitoredMetrics, parseMetrics } from '../../wire/arm/metrics-answer.ts';
import { formatGroup } from '../../wire/arm/group-request.ts';
import { createArmClient } from './arm-client.ts';
import type { ArmClient, ArmConfig } from './arm-client.ts';
import type { ArmAction, ArmAnswer } from './arm-faults.ts';
import { parseUrl } from '../../wire/url-text.ts';

const apiVersion = '2023-05-01';
const metricsVersion = '2023-10-01';
const maxPages = 200;
/** Signed operation URLs have about 3.5 kB (docs/aci.md, Requests). */
const maxOperationUrlLength = 16_384;

/** Container groups of one resource group at Azure Resource Manager. The SDK is loaded on the first call. */
export function createArmContainerGroups(config: ArmConfig): ContainerGroups {
  const client = createArmClient(config);
  const urls = createUrls(config);
  return {
    list: (signal) => list(client, urls.groups, signal),
    get: async (name, signal, options) => {
      const spend = options?.canWait === true ? 'read-watch' : 'read-poll';
      const request = { method: 'GET', url: urls.group(name), action: 'get', spend, signal } as const;
      return read(await client.send(request), 'get', parseGroup);
    },
    createOrUpdate: async (name, body, signal, options) => {
      const text = JSON.stringify(formatGroup(body));
      const request = { method: 'PUT', url: urls.group(name), body: text, signal } as const;
      const answer = await client.send({
        ...request,
        action: 'create',
        spend: options?.isRetry === true ? 'write-retry' : 'write-create',
      });
      return answer.ok ? acceptedGroup(answer.value, config.endpoint) : answer;
    },
    delete: async (name, signal) => {
      const request = { method: 'DELETE', url: urls.group(name), action: 'delete', spend: 'delete', signal } as const;
      return deletedGroup(await client.send(request));
    },
    stop: async (name, signal) => {
      const url = urls.group(name, '/stop');
      const answer = await client.send({ method: 'POST', url, action: 'stop', spend: 'write-end', signal });
      return answer.ok ? ok(undefined) : answer;
    },
    listLogs: async ({ group, container, tail, timestamps }, signal) => {
      const query = { ...(tail === undefined ? {} : { tail: String(tail) }), timestamps: String(timestamps) };
      const url = urls.container(group, container, 'logs', query);
      const answer = await client.send({ method: 'GET', url, action: 'logs', spend: 'read-logs', signal });
      return read(answer, 'logs', parseLogs);
    },
    listMetrics: async (name, window, signal) => {
      const url = urls.metrics(name, window);
      const answer = await client.send({ method: 'GET', url, action: 'metrics', spend: 'read-metrics', signal });
      return read(answer, 'metrics', parseMetrics);
    },
    exec: async ({ group, container, command, terminalSize, isWord = false }, signal) => {
      const body = JSON.stringify({ command, terminalSize: { rows: terminalSize.rows, cols: terminalSize.columns } });
      const url = urls.container(group, container, 'exec');
      const spend = isWord ? 'write-word' : 'write-stream';
      const request = { method: 'POST', url, body, action: 'exec', spend, signal } as const;
      return read(await client.send(request), 'exec', parseStreamSession);
    },
    attach: async ({ group, container }, signal) => {
      const url = urls.container(group, container, 'attach');
      const request = { method: 'POST', url, action: 'attach', spend: 'write-stream', signal } as const;
      return read(await client.send(request), 'attach', parseStreamSession);
    },
    getOperation: async (url, signal) => {
      const answer = await client.send({ method: 'GET', url, action: 'operation', spend: 'read-poll', signal });
      return read(answer, 'operation', parseOperation);
    },
    listUsages: async (signal) => {
      const request = { method: 'GET', url: urls.usages, action: 'usages', spend: 'read-poll', signal } as const;
      return read(await client.send(request), 'usages', parseUsages);
    },
  };
}

function createUrls(config: ArmConfig) {
  const subscription = `${config.endpoint}/subscriptions/${encodeURIComponent(config.subscriptionId)}`;
  const provider = 'providers/Microsoft.ContainerInstance';
  const groups = `${subscription}/resourceGroups/${encodeURIComponent(config.resourceGroup)}/${provider}/containerGroups`;
  const version = `?api-version=${apiVersion}`;
  const group = (name: string, below = '', query: Readonly<Record<string, string>> = {}): string => {
    const more = Object.entries(query).map(([key, value]) => `&${key}=${encodeURIComponent(value)}`);
    return `${groups}/${encodeURIComponent(name)}${below}${version}${more.join('')}`;
  };
  return {
    groups: `${groups}${version}`,
    group,
    metrics: (name: string, { fromMs, toMs }: MetricsWindow) => {
      const query = new URLSearchParams({
        'api-version': metricsVersion,
        metricnames: Object.values(monitoredMetrics).join(','),
        timespan: [fromMs, toMs].map((ms) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')).join('/'),
        interval: 'PT1M',
        aggregation: 'Average',
        $filter: "containerName eq '*'",
        // As many as a group can have; ten unless asked for.
        top: '60',
      });
      return `${groups}/${encodeURIComponent(name)}/providers/Microsoft.Insights/metrics?${query.toString()}`;
    },
    container: (name: string, container: string, what: string, query: Readonly<Record<string, string>> = {}) =>
      group(name, `/containers/${encodeURIComponent(container)}/${what}`, query),
    usages: `${subscription}/${provider}/locations/${encodeURIComponent(config.location)}/usages${version}`,
  };
}

/** A 2xx whose body is not what ARM promises is as good as no answer. */
function read<T>(answer: Result<ArmAnswer>, action: ArmAction, parse: (body: unknown) => T | undefined): Result<T> {
  if (!answer.ok) return answer;
  const value = answer.value.status === 200 ? parse(parseJson(answer.value.body)) : undefined;
  if (value !== undefined) return ok(value);
  return fail({ kind: 'transient', message: `ARM answered ${action} with ${answer.value.status} and no such body.` });
}

async function list(client: ArmClient, first: string, signal: AbortSignal): Promise<Result<readonly ListedGroup[]>> {
  const groups: ListedGroup[] = [];
  let url: string | undefined = first;
  for (let pages = 0; url !== undefined; pages += 1) {
    if (pages >= maxPages) return fail({ kind: 'transient', message: 'The list of groups does not end.' });
    const answer = await client.send({ method: 'GET', url, action: 'list', spend: 'read-poll', signal });
    const page = read(answer, 'list', parseGroupPage);
    if (!page.ok) return page;
    groups.push(...page.value.value);
    url = page.value.nextLink;
  }
  return ok(groups);
}

/**
 * A 2xx that is ARM's: with a resource in its body, or an operation to follow, or 202. Any other 2xx (a gateway's page, an
 * empty object) says nothing: taken for an acceptance, it would make a group that never was a lost one. A URL on another
 * host would never be asked, so it is not kept.
 */
function acceptedGroup(answer: ArmAnswer, endpoint: string): Result<AcceptedGroup> {
  const operationUrl = answer.header('azure-asyncoperation') ?? '';
  if (answer.status !== 202 && operationUrl === '' && !isResource(parseJson(answer.body)))
    return fail({ kind: 'transient', message: `ARM answered create with ${answer.status} and no such body.` });
  const usable =
    operationUrl.length <= maxOperationUrlLength && parseUrl(operationUrl)?.host === new URL(endpoint).host;
  return ok(usable ? { operationUrl } : {});
}

function deletedGroup(answer: Result<ArmAnswer>): Result<DeletedGroup> {
  if (!answer.ok) return answer.fault.kind === 'not-found' ? ok('absent') : answer;
  switch (answer.value.status) {
    case 200:
      return ok('deleted');
    case 204:
      return ok('absent');
    default:
      return ok('accepted');
  }
}
