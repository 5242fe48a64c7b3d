import { isIP } from 'node:net';
import { parseDuration } from '../options.ts';
import type { OptionSpecs, ParsedOptions } from '../options.ts';
import { wrongInput } from '../stop.ts';
import type { ChartWants } from '../cluster/chart-release.ts';
import type { PodGrant } from '../../../shared/core/pod/grant.ts';
import { readGrantsFile } from './grants-file.ts';
import { parseReachWants, reachOptions } from './reach-wants.ts';
import type { ReachWants } from '../cluster/reach-of-pods.ts';
import { parseRegistries } from './registry-wants.ts';
import type { RegistryWants } from './registry-wants.ts';
import { isOwnHost } from '../cluster/api-server-for-pods.ts';
import type { ApiServerForPods } from '../cluster/api-server-for-pods.ts';

export type Zone = '1' | '2' | '3';
export type ServingMode = 'self-signed' | 'csr' | 'cert-manager';

/** What was asked for, in itself sound. */
export interface AttachWants {
  readonly nodes: readonly { readonly name: string; readonly zone?: Zone }[];
  readonly namespace: string;
  readonly auth: 'entra' | 'token';
  /** Lifetime of the token, with `auth` token. */
  readonly tokenDurationMs: number;
  readonly tokenSetting: string | undefined;
  readonly principalId: string | undefined;
  readonly clusterName: string | undefined;
  readonly appUrl: string | undefined;
  readonly server: string | undefined;
  readonly apiServerForPods: ApiServerForPods | undefined;
  /** How pods reach names and Services of the cluster. */
  readonly reach: ReachWants;
  /** The first node's port; each next one has the next that is free. */
  readonly port: number;
  readonly nodeAddress: string | undefined;
  readonly serving: ServingMode | undefined;
  /** Undefined: it is left as it is. */
  readonly chart: ChartWants | undefined;
  /** Registries that container groups shall pull from with an identity. */
  readonly registries: readonly RegistryWants[];
  /** Where the agent's package is; undefined: the one that comes with the program; `none`: it is left alone. */
  readonly agent: string | undefined;
  /** What pods may name; undefined: it stays as it is. */
  readonly grants: readonly PodGrant[] | undefined;
  readonly wait: WaitFor;
  readonly timeoutMs: number;
  readonly dryRun: boolean;
}

export type WaitFor = 'all' | 'nodes' | 'none';

export const attachOptions: OptionSpecs = {
  nodes: {
    type: 'string',
    value: 'NAME,…',
    multiple: true,
    description: 'the nodes to show in the cluster, e.g. aci-1,aci-2',
  },
  zones: { type: 'string', value: '1,2,…', multiple: true, description: 'their zones, in the same order' },
  namespace: {
    type: 'string',
    value: 'NAME',
    description: 'where the chart is installed (default serverless-kubelet)',
  },
  auth: {
    type: 'string',
    value: 'KIND',
    description:
      'how the app proves itself to the cluster: entra (its identity; default) or token (of a ServiceAccount)',
  },
  'principal-id': {
    type: 'string',
    value: 'GUID',
    description: "with entra: the identity's object id (default: asked from az)",
  },
  'token-setting': {
    type: 'string',
    value: 'NAME',
    description: "with token: the app's setting that holds it (default CLUSTER_TOKEN_…)",
  },
  'token-duration': {
    type: 'string',
    value: 'TIME',
    description: 'with token: how long it shall live, e.g. 720h (default 2160h; the cluster may give less)',
  },
  'cluster-name': {
    type: 'string',
    value: 'NAME',
    description: "the cluster's name for people (default: that of AKS or of the kubeconfig)",
  },
  port: {
    type: 'string',
    value: 'PORT',
    description: "the first node's port of the relay (default 10250); the next node has the next",
  },
  'node-address': {
    type: 'string',
    value: 'IP',
    description: "where the API server reaches the relay (default: the relay's Service)",
  },
  serving: {
    type: 'string',
    value: 'KIND',
    description:
      'certificate of the kubelet ports: self-signed (default), csr (an administrator approves) or cert-manager',
  },
  chart: {
    type: 'string',
    value: 'DIR',
    description: 'the Helm chart (default: the one that comes with this program)',
  },
  values: { type: 'string', value: 'FILE', multiple: true, description: "values for the chart, as helm's" },
  set: { type: 'string', value: 'K=V', multiple: true, description: "a value for the chart, as helm's" },
  'keep-chart': {
    type: 'boolean',
    description: 'leave the chart as it is: something else installs it (GitOps), with the values that --dry-run shows',
  },
  'app-url': {
    type: 'string',
    value: 'URL',
    description: 'where the relay reaches the app (default: its https host name)',
  },
  server: {
    type: 'string',
    value: 'URL',
    description: "where the app reaches the API server (default: the kubeconfig's)",
  },
  'api-server-for-pods': {
    type: 'string',
    value: 'HOST[:PORT]',
    description:
      'where pods reach the API server (default: as registered, else its FQDN of AKS or the host of --server); service: the Service kubernetes',
  },
  ...reachOptions,
  acr: {
    type: 'string',
    value: 'NAME|ID',
    multiple: true,
    description:
      'a registry of Azure that pods pull from: an identity that may do that alone is made and given to the app',
  },
  agent: {
    type: 'string',
    value: 'DIR|none',
    description: "with --acr: the agent's package that is put there (default: the one that comes with this program)",
  },
  grants: {
    type: 'string',
    value: 'FILE',
    description:
      'what pods may name in annotations, in place of what is registered (docs/security.md); [] takes it away',
  },
  wait: {
    type: 'string',
    value: 'FOR',
    description: 'all (nodes Ready and the relay running; default), nodes or none',
  },
  timeout: { type: 'string', value: 'TIME', description: 'how long to wait for that (default 5m)' },
  'dry-run': { type: 'boolean', description: 'check everything, say what would be done, change nothing' },
};

const nodeName = /^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/;
const defaultTokenDuration = '2160h';

/** Reads and checks what the command line alone can say. The first fault is thrown as wrong input. */
export function parseAttachWants(options: ParsedOptions): AttachWants {
  options.required('nodes');
  const auth = oneOf(options, 'auth', ['entra', 'token']) ?? 'entra';
  for (const name of ['token-setting', 'token-duration'])
    if (auth === 'entra' && options.text(name) !== undefined)
      throw wrongInput(`--${name} goes with --auth token`, `leave it out, or add --auth token`);
  const grants = options.text('grants');
  return {
    nodes: parseNodes(options.list('nodes'), options.list('zones')),
    namespace:
      matching(options, 'namespace', /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'a namespace') ?? 'serverless-kubelet',
    auth,
    tokenDurationMs: parseDuration('token-duration', options.text('token-duration') ?? defaultTokenDuration),
    tokenSetting: matching(
      options,
      'token-setting',
      /^[A-Za-z_]\w{0,126}$/,
      "a setting's name of letters, digits and _",
    ),
    principalId: matching(options, 'principal-id', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'a GUID'),
    clusterName: matching(options, 'cluster-name', /^.{1,63}$/, 'at most 63 characters'),
    appUrl: httpUrl(options, 'app-url'),
    server: httpUrl(options, 'server'),
    apiServerForPods: parseApiServerForPods(options.text('api-server-for-pods')),
    reach: parseReachWants(options),
    port: parsePort(options.text('port') ?? '10250'),
    nodeAddress: parseAddress(options.text('node-address')),
    serving: oneOf(options, 'serving', ['self-signed', 'csr', 'cert-manager']),
    chart: parseChart(options),
    registries: parseRegistries(options),
    agent: options.text('agent'),
    grants: grants === undefined ? undefined : readGrantsFile(grants),
    wait: oneOf(options, 'wait', ['all', 'nodes', 'none']) ?? 'all',
    timeoutMs: parseDuration('timeout', options.text('timeout') ?? '5m'),
    dryRun: options.flag('dry-run'),
  };
}

function parseChart(options: ParsedOptions): ChartWants | undefined {
  const chart = { dir: options.text('chart'), valueFiles: options.values('values'), set: options.values('set') };
  if (!options.flag('keep-chart')) return chart;
  const given = ['chart', 'values', 'set', 'serving'].find((name) => options.values(name).length > 0);
  if (given === undefined) return undefined;
  throw wrongInput(`--${given} changes the chart, and --keep-chart leaves it as it is`, 'leave one of them out');
}

function parseNodes(names: readonly string[], zones: readonly string[]): AttachWants['nodes'] {
  if (names.length === 0) throw wrongInput('--nodes names no node', 'write it as --nodes aci-1,aci-2');
  if (zones.length > 0 && zones.length !== names.length)
    throw wrongInput(
      `there are ${names.length} nodes and ${zones.length} zones`,
      'give one zone for each node, in the same order, or no --zones',
    );
  return names.map((name, index) => {
    if (!nodeName.test(name))
      throw wrongInput(
        `"${name}" is no node name`,
        'use 1 to 63 of a–z, 0–9, "-" and ".", first and last a letter or digit',
      );
    if (names.indexOf(name) !== index) throw wrongInput(`the node ${name} is named twice`, 'name it once');
    const zone = parseZone(zones[index]);
    return zone === undefined ? { name } : { name, zone };
  });
}

function parseZone(text: string | undefined): Zone | undefined {
  if (text === undefined || text === '1' || text === '2' || text === '3') return text;
  throw wrongInput(`"${text}" is no zone`, 'a zone is 1, 2 or 3');
}

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw wrongInput(`--port wants a port from 1 to 65535, not "${text}"`, 'leave it out for 10250');
}

function parseAddress(text: string | undefined): string | undefined {
  if (text === undefined || isIP(text) !== 0) return text;
  throw wrongInput(`--node-address wants an IP address, not "${text}"`, "leave it out to use the relay's Service");
}

/** `HOST`, `HOST:PORT` or `[IPv6]:PORT`; a bare IPv6 address has colons of its own. */
function parseApiServerForPods(text: string | undefined): ApiServerForPods | undefined {
  if (text === undefined || text === 'service') return text;
  const written = isIP(text) === 6 ? `[${text}]` : text;
  const [, name = '', digits = '443'] = /^([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/i.exec(written) ?? [];
  const host = name.replaceAll(/[[\]]/g, '').toLowerCase();
  const port = Number(digits);
  if (host !== '' && URL.canParse(`https://${name}`) && !isOwnHost(host) && port >= 1 && port <= 65_535)
    return { host, port };
  throw wrongInput(
    `--api-server-for-pods wants HOST[:PORT] as pods reach it, not "${text}"`,
    "give a name that is in the API server's certificate, or service",
  );
}

function oneOf<T extends string>(options: ParsedOptions, name: string, allowed: readonly T[]): T | undefined {
  const text = options.text(name);
  if (text === undefined) return undefined;
  const found = allowed.find((value) => value === text);
  if (found === undefined)
    throw wrongInput(`--${name} wants ${allowed.join(', ')}, not "${text}"`, `choose one of them`);
  return found;
}

function matching(options: ParsedOptions, name: string, pattern: RegExp, what: string): string | undefined {
  const text = options.text(name);
  if (text === undefined || pattern.test(text)) return text;
  throw wrongInput(`--${name} wants ${what}, not "${text}"`, `fix --${name}`);
}

function httpUrl(options: ParsedOptions, name: string): string | undefined {
  const text = options.text(name);
  if (text === undefined) return undefined;
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw wrongInput(`--${name} wants an https:// URL, not "${text}"`, `fix --${name}`);
  return text.replace(/\/$/, '');
}
