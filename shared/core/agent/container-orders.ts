import { defined } from '../defined.ts';
import type { ImageConfig } from '../image/image-config.ts';
import type { GroupEnvironmentVariable } from '../group/group.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { programArgv } from '../pod/command.ts';
import type { Environment } from '../pod/environment.ts';
import { ok } from '../pod/evaluation.ts';
import type { Evaluation } from '../pod/evaluation.ts';
import { startsAsRoot } from '../pod/image-fit.ts';
import type { Located } from '../pod/rules/rule.ts';
import { wantedUser } from '../pod/security-context.ts';
import { firstFlat } from '../pod/sidecars.ts';
import type { AgentAccess } from './agent-facts.ts';
import type { LostFeatures } from './findings/lost-features.ts';
import { splitEnvironment } from './environment-split.ts';
import type { ContainerMounts } from './mounts.ts';
import type { ContainerOrders, GroupOrders, Program } from './orders.ts';
import type { PodHost } from './pod-host.ts';
import { programRights } from './program-user.ts';
import { superviseOrders } from './supervise.ts';
import type { WrapMode } from './wraps.ts';

/** What is the same in all documents of a group. */
export function ordersHeader(
  { metadata: { namespace, name, uid } }: Pod,
  { reportUrl, filesUrl, kid, key, nonce, roots }: AgentAccess,
): Pick<GroupOrders, 'schemaVersion' | 'pod' | 'nonce' | 'report'> {
  return {
    schemaVersion: 1,
    pod: { namespace, name, uid },
    nonce,
    report: { url: reportUrl, filesUrl, kid, key, ...(roots !== undefined && { roots }) },
  };
}

const initFlushSeconds = 3;

export interface OrdersScope {
  readonly pod: Pod;
  readonly access: AgentAccess;
  readonly environment: Environment;
  /** Undefined: its registry was not asked. */
  readonly config: ImageConfig | undefined;
  readonly mounts: Pick<ContainerMounts, 'subPaths' | 'live'>;
  readonly mode: WrapMode;
  readonly host: PodHost;
  readonly lost: LostFeatures | undefined;
}

/** What the agent is to do in a container, and what of its environment ACI carries. */
export interface OrderedContainer {
  readonly orders: ContainerOrders;
  readonly environmentVariables: readonly GroupEnvironmentVariable[];
}

/** Whether there is a way to the app while init containers run is not known: their ends do not wait long for an answer. */
function headerOf({ member, index }: Located, { pod, access }: OrdersScope): ReturnType<typeof ordersHeader> {
  const header = ordersHeader(pod, access);
  const isInitPhase = member === 'initContainers' && index < firstFlat(pod);
  return isInitPhase ? { ...header, report: { ...header.report, flushSeconds: initFlushSeconds } } : header;
}

function programOf(
  located: Located,
  { pod, environment: { variables }, config, mode, lost }: OrdersScope,
): Omit<Program, 'argv' | 'env'> {
  const { container, member, index } = located;
  const workingDir = wantedUser(pod, member, index).workingDir?.value;
  const hasHome = variables.has('HOME') || config?.env['HOME'] !== undefined;
  return {
    ...defined({ workingDir }),
    ...programRights({ pod, container, member, index }, config, { hasHome, lost }),
    ...(mode === 'supervise' && streamsOf(located)),
  };
}

/** The orders of one container whose program the agent starts. */
export function containerOrders(located: Located, scope: OrdersScope): Evaluation<OrderedContainer> {
  const { environment, config, mode, host } = scope;
  const { subPaths, live } = scope.mounts;
  const { container, path } = located;
  const argv = programArgv(container, { variables: environment.variables, path, config });
  if (argv.kind !== 'ok') return argv;
  // Who does not start as root can't write to /etc/hosts; a name that nobody asks for, and that is not there, is not said either.
  const isWriter = config !== undefined && startsAsRoot(config);
  const isNamed = host.field !== undefined || isWriter;
  // Of an image that nobody has read the agent sees for itself whether it starts as root.
  const mayWrite = isWriter || (config === undefined && host.field !== undefined);
  const env = splitEnvironment(environment, config, isNamed ? { HOSTNAME: host.own } : {});
  const orders: ContainerOrders = {
    ...headerOf(located, scope),
    kind: 'container',
    container: container.name,
    mode,
    program: {
      argv: argv.value,
      ...(env.orders.length > 0 && { env: env.orders }),
      ...programOf(located, scope),
    },
    ...(mayWrite && { hosts: hostLine(host) }),
    ...(subPaths.length > 0 && { subPaths }),
    ...(mode === 'supervise' && { supervise: superviseOrders(located, scope) }),
    ...(live.length > 0 && { live }),
  };
  return ok({ orders, environmentVariables: env.group });
}

/** What of the program's input and output a container has only where somebody is beside it. */
const streamsOf = ({
  container: { stdin, stdinOnce, tty },
}: Located): Pick<Program, 'stdin' | 'stdinOnce' | 'tty'> => ({
  ...(stdin === true && { stdin }),
  ...(stdin === true && stdinOnce === true && { stdinOnce }),
  ...(tty === true && { tty }),
});

const hostLine = ({ hostname, domain }: PodHost): NonNullable<ContainerOrders['hosts']> =>
  defined({ hostname, domain });
