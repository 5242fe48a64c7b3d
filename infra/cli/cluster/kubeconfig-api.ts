import { existsSync, readFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import type { RequestOptions } from 'node:https';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Cluster, KubeConfig } from '@kubernetes/client-node';
import * as z from 'zod';
import { instantMs } from '../../../shared/core/status/time.ts';
import { parseJson } from '../../../shared/wire/json-text.ts';
import type { Environment } from '../context.ts';
import type { ApiAnswer, ApiRequest, ClusterApi, ClusterPlace } from './api.ts';
import { connectionFault, pluginFault, statusFault } from './cluster-fault.ts';
import type { ClusterFault } from './cluster-fault.ts';
import { proxyFor } from './proxy.ts';
import { defined } from '../../../shared/core/defined.ts';

export interface KubeconfigApiOptions {
  /** Of --kubeconfig, or written by az; undefined: where kubectl polls. Asked for at each call. */
  readonly file: () => string | undefined;
  /** Of --context; undefined: the current one. */
  readonly context: () => string | undefined;
  readonly environment: Environment;
  readonly signal: AbortSignal;
}

const timeoutMs = 15_000;
/** A plugin's token lives for minutes at least, a client certificate for hours. */
const credentialMs = 60_000;

/**
 * {@link ClusterApi} by @kubernetes/client-node, loaded at the first call: it reads kubeconfigs, runs their exec plugins
 * and knows their proxies. The requests go by node:https.
 */
export function createKubeconfigApi(options: KubeconfigApiOptions): ClusterApi {
  const credentials = new Map<string, { readonly since: number; readonly made: Promise<RequestOptions> }>();
  const within = async (context: string | undefined): Promise<KubeConfig | ClusterFault> => {
    const config = await loadKubeconfig(options);
    if ('kind' in config) return config;
    const name = context ?? options.context();
    if (name === undefined) return config.getCurrentCluster() === null ? { kind: 'no-kubeconfig' } : config;
    if (config.getContextObject(name) === null) return { kind: 'no-context' };
    config.setCurrentContext(name);
    return config.getCurrentCluster() === null ? { kind: 'no-context' } : config;
  };
  const credentialOf = (config: KubeConfig): Promise<RequestOptions> => {
    const key = `${options.file() ?? ''} ${config.getCurrentContext()}`;
    const known = credentials.get(key);
    if (known !== undefined && performance.now() - known.since < credentialMs) return known.made;
    const made = applied(config);
    credentials.set(key, { since: performance.now(), made });
    return made;
  };
  return {
    contexts: async () => {
      const config = await loadKubeconfig(options);
      if ('kind' in config) return config;
      const current = config.getCurrentContext() ?? '';
      return {
        current: current === '' ? undefined : current,
        contexts: config
          .getContexts()
          .map(({ name, cluster }) => ({ name, server: config.getCluster(cluster)?.server ?? '' })),
      };
    },
    place: async () => {
      const config = await within(undefined);
      return 'kind' in config ? config : placeOf(config);
    },
    send: async (request) => {
      const config = await within(request.context);
      if ('kind' in config) return config;
      const credential = await credentialOf(config).catch((error: unknown) => faultOfCredential(config, error));
      if ('kind' in credential) return credential;
      const server = config.getCurrentCluster()?.server ?? '';
      return exchange(server, credential, request, options.signal);
    },
  };
}

/** The files of kubectl: the one that is given, those of KUBECONFIG, or the one in the home folder. */
function kubeconfigFiles({ file, environment }: KubeconfigApiOptions): readonly string[] {
  const given = file();
  if (given !== undefined) return [given];
  const listed = (environment['KUBECONFIG'] ?? '').split(delimiter).filter((one) => one !== '');
  return listed.length > 0 ? listed : [join(environment['HOME'] ?? homedir(), '.kube', 'config')];
}

async function loadKubeconfig(options: KubeconfigApiOptions): Promise<KubeConfig | ClusterFault> {
  // As kubectl, which takes a file of its list that is not there for an empty one.
  const files = kubeconfigFiles(options).filter((file) => existsSync(file));
  const { KubeConfig } = await import('@kubernetes/client-node');
  const [first, ...others] = files;
  if (first === undefined) return { kind: 'no-kubeconfig' };
  try {
    const config = new KubeConfig();
    config.loadFromFile(first);
    for (const file of others) {
      const other = new KubeConfig();
      other.loadFromFile(file);
      config.mergeConfig(other);
    }
    const complete = new KubeConfig();
    complete.loadFromOptions(completed(config, options.environment));
    return complete;
  } catch (error) {
    return { kind: 'bad-kubeconfig', message: error instanceof Error ? error.message : String(error) };
  }
}

const execSchema = z.looseObject({
  apiVersion: z.string().default('client.authentication.k8s.io/v1'),
  env: z
    .array(z.object({ name: z.string(), value: z.string() }))
    .nullish()
    .transform((list) => list ?? []),
});

/** What client-go adds: the proxy of the environment, and what a plugin is reported (its protocol, and that nobody can answer it). */
function completed(config: KubeConfig, environment: Environment): object {
  return {
    clusters: config.getClusters().map((cluster) => {
      const proxyUrl = cluster.proxyUrl ?? (URL.canParse(cluster.server) ? proxyFor(cluster.server, environment) : '');
      return proxyUrl === undefined || proxyUrl === '' ? cluster : { ...cluster, proxyUrl };
    }),
    users: config.getUsers().map((user) => {
      const exec = execSchema.safeParse(user.exec).data;
      if (exec === undefined) return user;
      const info = { kind: 'ExecCredential', apiVersion: exec.apiVersion, spec: { interactive: false } };
      const env = [{ name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }, ...exec.env];
      return { ...user, exec: { ...exec, env } };
    }),
    contexts: config.getContexts(),
    currentContext: config.getCurrentContext(),
  };
}

async function applied(config: KubeConfig): Promise<RequestOptions> {
  const made: RequestOptions = {};
  await config.applyToHTTPSOptions(made);
  return made;
}

const commandSchema = z.object({ command: z.string() });

function faultOfCredential(config: KubeConfig, error: unknown): ClusterFault {
  const plugin = commandSchema.safeParse(config.getCurrentUser()?.exec).data;
  if (plugin !== undefined) return pluginFault(error, plugin.command);
  return { kind: 'bad-kubeconfig', message: error instanceof Error ? error.message : String(error) };
}

function placeOf(config: KubeConfig): ClusterPlace | ClusterFault {
  const cluster = config.getCurrentCluster();
  if (cluster === null || !URL.canParse(cluster.server)) return { kind: 'no-kubeconfig' };
  try {
    const caPem = authorityOf(cluster);
    return { name: cluster.name, server: cluster.server.replace(/\/$/, ''), caPem: caPem === '' ? undefined : caPem };
  } catch (error) {
    return { kind: 'bad-kubeconfig', message: error instanceof Error ? error.message : String(error) };
  }
}

function authorityOf({ caData, caFile }: Cluster): string {
  if (caData !== undefined && caData !== '') return Buffer.from(caData, 'base64').toString('utf8');
  return caFile === undefined || caFile === '' ? '' : readFileSync(caFile, 'utf8');
}

async function exchange(
  server: string,
  credential: RequestOptions,
  request: ApiRequest,
  interrupted: AbortSignal,
): Promise<ApiAnswer | ClusterFault> {
  const late = AbortSignal.timeout(request.timeoutMs ?? timeoutMs);
  const signal = request.evenInterrupted === true ? late : AbortSignal.any([interrupted, late]);
  try {
    const { answer, body } = await receive(server, { ...credential, ...headed(credential, request), signal }, request);
    const status = answer.statusCode ?? 0;
    if (status < 200 || status > 299) return statusFault(status, messageOf(body, status));
    const serverMs = instantMs(answer.headers.date);
    return { kind: 'answered', status, text: body, ...defined({ serverMs }) };
  } catch (error) {
    return connectionFault(error);
  }
}

/** Of the SDK: a bearer token, or whom the kubeconfig acts as. */
const headersSchema = z.record(z.string(), z.string());

function headed(credential: RequestOptions, { method = 'GET', body, as }: ApiRequest): RequestOptions {
  const type = method === 'PATCH' ? 'application/apply-patch+yaml' : 'application/json';
  return {
    method,
    headers: {
      ...headersSchema.parse(credential.headers ?? {}),
      accept: 'application/json, */*',
      'user-agent': 'serverless-kubelet',
      ...(body === undefined ? {} : { 'content-type': type }),
      ...(as === undefined ? {} : { 'impersonate-user': as.user, 'impersonate-group': [...as.groups] }),
    },
  };
}

/** Rejects with the errors of sockets, TLS and the signal. */
function receive(
  server: string,
  options: RequestOptions,
  { path, body }: ApiRequest,
): Promise<{ readonly answer: IncomingMessage; readonly body: string }> {
  const url = `${server.replace(/\/$/, '')}${path}`;
  const send = url.startsWith('https:') ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const call = send(url, options, (answer) => {
      text(answer).then((all) => resolve({ answer, body: all }), reject);
    });
    call.once('error', reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const statusSchema = z.object({ message: z.string().min(1) });

const messageOf = (body: string, status: number): string =>
  statusSchema.safeParse(parseJson(body)).data?.message ?? `HTTP status ${String(status)}`;
