import { createArmContainerGroups } from '../../shared/adapters/arm/container-groups.ts';
import { createCredential } from '../../shared/adapters/arm/credential.ts';
import type { RowTable } from '../../shared/adapters/tables/row-table.ts';
import { createStateStore } from '../../shared/adapters/tables/state-store.ts';
import { openInstallationTable } from '../../shared/adapters/tables/table-store.ts';
import { readAuthority } from '../../shared/adapters/arm/authority-file.ts';
import { ok } from '../../shared/core/fault.ts';
import type { Budgets } from '../../shared/ports/budgets.ts';
import type { ContainerGroups } from '../../shared/ports/container-groups.ts';
import type { ProbeRecords } from '../../shared/ports/probe-records.ts';
import type { Registrations } from '../../shared/ports/registrations.ts';
import type { Log } from '../../shared/ports/log.ts';
import type { StateStore } from '../../shared/ports/state-store.ts';
import { armPlace } from '../../shared/wire/arm-settings.ts';
import type { Settings } from '../../shared/wire/settings.ts';
import { appSource, readAppSettings } from './app-settings.ts';
import type { AppSettings } from './app-settings.ts';
import { createAzureCli } from './azure-cli.ts';
import type { AzureCli } from './azure-cli.ts';
import type { ParsedOptions } from './options.ts';
import type { Output } from './output.ts';
import type { ClusterApi } from './cluster/api.ts';
import { createKubeconfigApi } from './cluster/kubeconfig-api.ts';
import { openProbeRecords } from './probe-records.ts';
import { openRegistrations } from './registrations.ts';
import { tableConfig } from './table-config.ts';
import { notInstalled, runProgram } from './program.ts';
import type { ProgramResult, ProgramRun } from './program.ts';
import { wrongInput } from './stop.ts';
import { defined } from '../../shared/core/defined.ts';

export type Environment = Readonly<Record<string, string | undefined>>;
/** What is piped in. */
export type StandardInput = () => AsyncIterable<Uint8Array | string>;
type RunOptions = Pick<ProgramRun, 'input' | 'timeoutMs'>;
export type RunInCluster = (args: readonly string[], options?: RunOptions) => Promise<ProgramResult>;

/**
 * What a command works with. Each part is made when it is first asked for, and once: a command that needs no ARM asks
 * for no token. All of it has the operator's rights (az login, DefaultAzureCredential, the kubeconfig), never the app's.
 */
export interface CliContext {
  readonly options: ParsedOptions;
  readonly out: Output;
  readonly environment: Environment;
  /** Ends with Ctrl-C. */
  readonly signal: AbortSignal;
  readonly stdin: StandardInput;
  readonly az: AzureCli;
  /** The app's settings, with where they are; throws a `Stop` when they cannot be had or are wrong. */
  app(): Promise<AppSettings>;
  settings(): Promise<Settings>;
  registrations(): Promise<Registrations>;
  /** Undefined: the app has no place for them. */
  probeRecords(): Promise<ProbeRecords | undefined>;
  groups(): Promise<ContainerGroups>;
  store(): Promise<StateStore>;
  /** The table below the store. */
  table(): Promise<RowTable>;
  /** The cluster of --kubeconfig and --context. */
  readonly api: ClusterApi;
  /** Runs the operator's kubectl against the same cluster, for what it alone does: to drain a node. */
  readonly kubectl: RunInCluster;
  /** Runs the operator's helm against the same cluster. */
  readonly helm: RunInCluster;
  /** From now on the cluster is that of this kubeconfig (one that az wrote). */
  useKubeconfig(file: string): void;
}

export interface ContextOptions {
  readonly options: ParsedOptions;
  readonly out: Output;
  readonly environment: Environment;
  readonly signal: AbortSignal;
  readonly stdin: StandardInput;
}

export function createContext({ options, out, environment, signal, stdin }: ContextOptions): CliContext {
  let fetchedKubeconfig: string | undefined;
  const az = createAzureCli({ environment, signal });
  const table = once(async () => installationTable(await settings()));
  const app = once(() => readAppSettings(appSource(options), az));
  const settings = async (): Promise<Settings> => (await app()).settings;
  const file = (): string | undefined => fetchedKubeconfig ?? options.text('kubeconfig');
  const kubeContext = (): string | undefined => (fetchedKubeconfig === undefined ? options.text('context') : undefined);
  const run = async (
    program: Program,
    args: readonly string[],
    more: RunOptions | undefined,
  ): Promise<ProgramResult> => {
    const [kubeconfig, context] = [file(), kubeContext()];
    const cluster = [
      ...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig]),
      ...(context === undefined ? [] : [program.contextOption, context]),
    ];
    const binary = environment[program.variable] ?? program.name;
    const result = await runProgram(binary, [...args, ...cluster], { ...more, environment, signal });
    if (result.code === notInstalled)
      throw wrongInput(`${program.name} is not on PATH`, `install it (${program.from})`);
    return result;
  };
  return {
    options,
    out,
    environment,
    signal,
    stdin,
    az,
    app,
    settings,
    registrations: once(async () => openRegistrations(await settings())),
    probeRecords: once(async () => openProbeRecords(await settings())),
    groups: once(async () => armGroups(await settings(), cliLog(out, options))),
    store: once(async () => createStateStore(await table(), cliLog(out, options))),
    table,
    api: createKubeconfigApi({ file, context: kubeContext, environment, signal }),
    kubectl: (args, more) => run(kubectlProgram, args, more),
    helm: (args, more) => run(helmProgram, args, more),
    useKubeconfig: (file) => {
      fetchedKubeconfig = file;
    },
  };
}

interface Program {
  readonly name: string;
  /** The environment variable that names another one than PATH's. */
  readonly variable: string;
  readonly contextOption: string;
  readonly from: string;
}

const kubectlProgram: Program = {
  name: 'kubectl',
  variable: 'KUBECTL',
  contextOption: '--context',
  from: 'https://kubernetes.io/docs/tasks/tools/, or az aks install-cli',
};
const helmProgram: Program = {
  name: 'helm',
  variable: 'HELM',
  contextOption: '--kube-context',
  from: 'https://helm.sh/docs/intro/install/',
};

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

/** What the adapters remark is for whoever looks for the cause: what came of it is reported by the command, in a sentence. */
const cliLog = (out: Output, options: ParsedOptions): Log => ({
  info: () => undefined,
  warn: (message, fields) => {
    if (options.flag('verbose')) out.warn(fields === undefined ? message : `${message} ${JSON.stringify(fields)}`);
  },
});

/** A person's handful of requests takes nothing from the app's budget, and is refused by ARM alone. */
const noBudget: Pick<Budgets, 'take' | 'report'> = {
  take: () => Promise.resolve(ok(undefined)),
  report: () => Promise.resolve(),
};

function armGroups(settings: Settings, log: Log): ContainerGroups {
  const authority = readAuthority(settings);
  if (!authority.ok) throw wrongInput(`${authority.fault.name}: ${authority.fault.expected}`);
  return createArmContainerGroups({
    ...armPlace(settings),
    credential: createCredential({ kind: 'default' }),
    budgets: noBudget,
    log,
    ...defined({ certificateAuthorityPem: authority.pem }),
  });
}

function installationTable(settings: Settings): RowTable {
  return openInstallationTable(tableConfig(settings), { installation: settings.INSTALLATION });
}
