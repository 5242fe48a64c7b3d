/** `pods/log` and `nodes/proxy`: passed on to the node's kubelet, as the API server does. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { badRequest } from '../../sim/api-server/status-error.ts';
import type { StatusError } from '../../sim/api-server/status-error.ts';
import {
  nameOf,
  namespaceOf,
  numberAt,
  objectAt,
  objectsAt,
  specOf,
  statusOf,
  textAt,
} from '../../sim/api-server/json-access.ts';
import { nodes } from '../../sim/api-server/resources.ts';
import type { JsonObject } from '../../../../shared/core/json.ts';
import { refused } from './answer.ts';
import type { Answer } from './answer.ts';
import type { KubeletCaller, Serving } from './serving.ts';

const passed = ['follow', 'previous', 'sinceSeconds', 'sinceTime', 'timestamps', 'tailLines', 'limitBytes', 'stream'];
const defaultKubeletPort = 10_250;
const connectTimeoutMs = 10_000;

/** The log of one container of the pod, as a stream. */
export async function podLog(serving: Serving, pod: JsonObject, query: URLSearchParams): Promise<Answer> {
  const container = containerOf(pod, query.get('container') ?? '');
  if (typeof container !== 'string') return refused(container);
  const node = textAt(specOf(pod), 'nodeName');
  if (node === '') return refused(badRequest(`pod ${nameOf(pod)} does not have a host assigned`));
  const address = addressOf(serving.state().store.get(nodes, { namespace: '', name: node }));
  if (address === undefined) return refused(unreachable(`no preferred addresses found for node "${node}"`));
  const options = new URLSearchParams(
    passed.flatMap((name) => query.getAll(name).map((value): [string, string] => [name, value])),
  );
  const path = ['containerLogs', namespaceOf(pod), nameOf(pod), container].map(encodeURIComponent).join('/');
  const search = options.toString();
  return passedOn(serving, new URL(`https://${address}/${path}${search === '' ? '' : `?${search}`}`));
}

/** GET of a path of the node's kubelet, as a stream. */
export async function nodeProxy(serving: Serving, node: JsonObject, path: readonly string[]): Promise<Answer> {
  const address = addressOf(node);
  if (address === undefined) return refused(unreachable(`no preferred addresses found for node "${nameOf(node)}"`));
  return passedOn(serving, new URL(`https://${address}/${path.map(encodeURIComponent).join('/')}`));
}

async function passedOn(serving: Serving, url: URL): Promise<Answer> {
  const answered = await call(serving.kubelet, url);
  if (typeof answered === 'string') return refused(unreachable(`Get "${url.href}": ${answered}`));
  const status = answered.statusCode ?? 0;
  if (status >= 200 && status < 300) return { kind: 'stream', start: (response) => relay(answered, response) };
  return refused(await kubeletRefusal(answered, status));
}

/** The only one, the one that an annotation prefers, or the one that was asked for. */
function containerOf(pod: JsonObject, asked: string): string | StatusError {
  const spec = specOf(pod);
  const all = ['containers', 'initContainers', 'ephemeralContainers'].flatMap((list) =>
    objectsAt(spec, list).map((container) => textAt(container, 'name')),
  );
  if (asked !== '')
    return all.includes(asked) ? asked : badRequest(`container ${asked} is not valid for pod ${nameOf(pod)}`);
  const [first, ...others] = all;
  if (first !== undefined && others.length === 0) return first;
  return badRequest(`a container name must be specified for pod ${nameOf(pod)}, choose one of: [${all.join(' ')}]`);
}

function addressOf(node: JsonObject | undefined): string | undefined {
  if (node === undefined) return undefined;
  const addresses = objectsAt(statusOf(node), 'addresses');
  const preferred = ['InternalIP', 'ExternalIP', 'Hostname']
    .map((type) => addresses.find((address) => textAt(address, 'type') === type))
    .find((address) => address !== undefined);
  if (preferred === undefined) return undefined;
  const endpoint = objectAt(objectAt(statusOf(node), 'daemonEndpoints'), 'kubeletEndpoint');
  const host = textAt(preferred, 'address');
  return `${host.includes(':') ? `[${host}]` : host}:${numberAt(endpoint, 'Port') ?? defaultKubeletPort}`;
}

/** The response, its body unread, or why there is none. */
function call({ certificate }: KubeletCaller, url: URL): Promise<IncomingMessage | string> {
  const { promise, resolve } = Promise.withResolvers<IncomingMessage | string>();
  const sent = httpsRequest(url, {
    cert: certificate.certPem,
    key: certificate.keyPem,
    rejectUnauthorized: false,
    agent: false,
  });
  const timer = setTimeout(() => sent.destroy(new Error('the kubelet did not answer in time')), connectTimeoutMs);
  sent.once('response', (response) => {
    clearTimeout(timer);
    resolve(response);
  });
  sent.on('error', (error) => {
    clearTimeout(timer);
    resolve(error.message);
  });
  sent.end();
  return promise;
}

async function relay(kubelet: IncomingMessage, response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.flushHeaders();
  // A client that leaves, and a kubelet that breaks off, end the other side.
  await pipeline(kubelet, response).catch(() => undefined);
}

async function kubeletRefusal(kubelet: IncomingMessage, status: number): Promise<StatusError> {
  const body = (await text(kubelet).catch(() => '')).trim();
  const message = body === '' ? `the kubelet answered ${status}` : body;
  switch (status) {
    case 400:
      return badRequest(message);
    case 404:
      return { code: 404, reason: 'NotFound', message };
    default:
      return unreachable(message);
  }
}

const unreachable = (message: string): StatusError => ({ code: 500, reason: 'InternalError', message });
