import { isAbsolute, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { findRealHost } from './real-host.ts';
import type { RealHost } from './real-host.ts';

export const usage = `usage: npm start -- [options]

Starts a whole cloud on this machine (Azurite, the ARM and ACI emulator, Kubernetes, the Functions host, the relay),
attaches a node, runs the manifests of docs/examples and stays until Ctrl-C.

  --exit              end after the examples: 0 when each did what it is for, else 1
  --dir DIR           where all state is kept (default .local); two with different folders run side by side
  --runtime KIND      what runs the containers: engine (Podman or Docker) or process (plain processes, no images);
                      default: engine where one is found
  --no-examples       start only
  --cluster KIND      real (Kubernetes itself, built once with Go) or embedded (a small API server in Node: plain pods,
                      no controllers); default: real where it is built already or a new enough Go is found
  --relay KIND        process (one, on this machine) or chart (installed by Helm, two replicas in containers; needs a real
                      cluster of its own and Podman); default process
  --machine           an ordinary node vm-1 beside the virtual one: Kubernetes' own kubelet and kube-proxy over containerd (root
                      and Debian's containerd and containernetworking-plugins; needs a real cluster of its own and Podman)
  --functions-host DIR | func
                      the real Functions host instead of the stand-in: the folder of an unpacked one, or Azure Functions
                      Core Tools on the PATH
  --kubeconfig FILE   use a cluster you already have, as its administrator
  --node-address IP   with --kubeconfig: where that cluster reaches this machine (default 127.0.0.1)
  --arm URL | azure   another ARM than the emulator; "azure" is https://management.azure.com. Credentials come from
                      the environment, a managed identity or the Azure CLI (DefaultAzureCredential)
  --arm-ca FILE       with --arm: the certificate authority (PEM) of a test server
  --subscription ID   with --arm (default $AZURE_SUBSCRIPTION_ID)
  --resource-group N  with --arm (default $AZURE_RESOURCE_GROUP)
  --location REGION   with --arm (default $AZURE_LOCATION or westeurope)
  --creates-per-hour N  how many groups ACI lets one create, and delete, in an hour (default 300, a third of it in five
                      minutes); on Azure it is raised by a support request
  --help              this text`;

/** Where all state is kept unless another folder is named. */
export const defaultDir = '.local';

export interface UpOptions {
  readonly help: boolean;
  readonly exit: boolean;
  readonly examples: boolean;
  readonly dir: string;
  readonly runtime: 'engine' | 'process' | undefined;
  /** Absent: the best this machine has. */
  readonly cluster: 'real' | 'embedded' | undefined;
  /** `process`: one, on this machine. `chart`: installed by Helm, two replicas in containers as they are rendered. */
  readonly relay: 'process' | 'chart';
  /** Whether there is an ordinary node too. */
  readonly machine: boolean;
  /** Absent: the stand-in of `infra/local/host`. */
  readonly functionsHost: RealHost | undefined;
  readonly kubeconfig: string | undefined;
  readonly nodeAddress: string;
  readonly createsPerHour: number;
  readonly arm: ArmOptions;
}

/** The emulator unless an ARM is named. */
export interface ArmOptions {
  readonly endpoint: string | undefined;
  readonly caFile: string | undefined;
  readonly subscription: string;
  readonly resourceGroup: string;
  readonly location: string;
}

const emulated = {
  subscription: '00000000-0000-4000-8000-000000000001',
  resourceGroup: 'serverless-kubelet',
  location: 'westeurope',
};

/** Reads the command line; a fault is an `Error` whose message names the option and the fix. */
export function parseUpOptions(args: readonly string[], env: NodeJS.ProcessEnv): UpOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      exit: { type: 'boolean', default: false },
      examples: { type: 'boolean', default: true },
      dir: { type: 'string', default: defaultDir },
      runtime: { type: 'string' },
      cluster: { type: 'string' },
      relay: { type: 'string', default: 'process' },
      machine: { type: 'boolean', default: false },
      'functions-host': { type: 'string' },
      kubeconfig: { type: 'string' },
      'node-address': { type: 'string', default: '127.0.0.1' },
      arm: { type: 'string' },
      'arm-ca': { type: 'string' },
      subscription: { type: 'string' },
      'resource-group': { type: 'string' },
      location: { type: 'string' },
      'creates-per-hour': { type: 'string', default: '300' },
      help: { type: 'boolean', short: 'h', default: false },
    },
    allowNegative: true,
  });
  const { runtime, cluster, relay } = kinds(values);
  return {
    help: values.help,
    exit: values.exit,
    examples: values.examples,
    dir: absolute(values.dir),
    runtime,
    cluster,
    relay,
    machine: values.machine,
    functionsHost: realHost(values['functions-host']),
    kubeconfig: values.kubeconfig === undefined ? undefined : absolute(values.kubeconfig),
    nodeAddress: values['node-address'],
    createsPerHour: createsPerHour(values['creates-per-hour']),
    arm: armOptions(values, env),
  };
}

const realHost = (given: string | undefined): RealHost | undefined =>
  given === undefined ? undefined : findRealHost(given === 'func' ? given : absolute(given));

type Kinds = Readonly<Partial<Record<'runtime' | 'cluster' | 'kubeconfig', string>>> & {
  readonly relay: string;
  readonly machine: boolean;
};

function kinds(values: Kinds): Pick<UpOptions, 'runtime' | 'cluster' | 'relay'> {
  const { runtime, cluster, relay, kubeconfig } = values;
  if (runtime !== undefined && runtime !== 'engine' && runtime !== 'process')
    throw new Error(`--runtime wants engine or process, not "${runtime}"`);
  if (cluster !== undefined && cluster !== 'real' && cluster !== 'embedded')
    throw new Error(`--cluster wants real or embedded, not "${cluster}"`);
  if (cluster !== undefined && kubeconfig !== undefined)
    throw new Error('--cluster starts a cluster and --kubeconfig uses one that runs: leave one of them out');
  if (relay !== 'process' && relay !== 'chart') throw new Error(`--relay wants process or chart, not "${relay}"`);
  const isOwnReal = cluster !== 'embedded' && kubeconfig === undefined && runtime !== 'process';
  if (!isOwnReal) refuseContainersInCluster(values);
  return { runtime, cluster, relay };
}

function refuseContainersInCluster({ relay, machine }: Kinds): void {
  if (relay === 'chart') throw new Error('--relay chart needs --cluster real and --runtime engine');
  if (machine) throw new Error('--machine needs --cluster real and --runtime engine');
}

function createsPerHour(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 3 || count > 100_000)
    throw new Error(`--creates-per-hour wants a whole number from 3 to 100000, not "${text}"`);
  return count;
}

type Values = Readonly<Partial<Record<'arm' | 'arm-ca' | 'subscription' | 'resource-group' | 'location', string>>>;

function armOptions(values: Values, env: NodeJS.ProcessEnv): ArmOptions {
  const caFile = values['arm-ca'] === undefined ? undefined : absolute(values['arm-ca']);
  if (values.arm === undefined) {
    if (caFile !== undefined) throw new Error('--arm-ca goes with --arm URL');
    return { endpoint: undefined, caFile, ...emulated };
  }
  return namedArm(values.arm, caFile, values, env);
}

function namedArm(arm: string, caFile: string | undefined, values: Values, env: NodeJS.ProcessEnv): ArmOptions {
  const endpoint = arm === 'azure' ? 'https://management.azure.com' : arm;
  if (!URL.canParse(endpoint) || new URL(endpoint).protocol !== 'https:')
    throw new Error(`--arm wants an https:// URL or "azure", not "${arm}"`);
  const subscription = values.subscription ?? env['AZURE_SUBSCRIPTION_ID'];
  const resourceGroup = values['resource-group'] ?? env['AZURE_RESOURCE_GROUP'];
  if (arm === 'azure' && (subscription === undefined || resourceGroup === undefined))
    throw new Error(
      '--arm azure wants --subscription ID and --resource-group NAME (or AZURE_SUBSCRIPTION_ID and AZURE_RESOURCE_GROUP)',
    );
  return {
    endpoint: endpoint.replace(/\/$/, ''),
    caFile,
    subscription: subscription ?? emulated.subscription,
    resourceGroup: resourceGroup ?? emulated.resourceGroup,
    location: values.location ?? env['AZURE_LOCATION'] ?? emulated.location,
  };
}

const absolute = (path: string): string => (isAbsolute(path) ? path : resolve(process.cwd(), path));
