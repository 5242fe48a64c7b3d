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
import type { AgentAccess } from './agent-facts.ts';
import { splitEnvironment } from './environment-split.ts';
import type { ContainerOrders, GroupOrders, SubPath } from './orders.ts';
import type { PodHost } from './pod-host.ts';
import { programRights } from './program-user.ts';

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

export interface OrdersScope {
  readonly pod: Pod;
  readonly access: AgentAccess;
  readonly environment: Environment;
  /** Undefined: its registry was not asked. */
  readonly config: ImageConfig | undefined;
  readonly subPaths: readonly SubPath[];
  /** Undefined: the pod asks for no name. */
  readonly host: PodHost | undefined;
}

/** What the agent is to do in a container, and what of its environment ACI carries. */
export interface OrderedContainer {
  readonly orders: ContainerOrders;
  readonly environmentVariables: readonly GroupEnvironmentVariable[];
}

/** The orders of one container whose program the agent starts. */
export function containerOrders(located: Located, scope: OrdersScope): Evaluation<OrderedContainer> {
  const { pod, access, environment, config, subPaths, host } = scope;
  const { container, member, index, path } = located;
  const { variables } = environment;
  const argv = programArgv(container, { variables, path, config });
  if (argv.kind !== 'ok') return argv;
  const env = splitEnvironment(environment, config, host === undefined ? {} : { HOSTNAME: host.own });
  const workingDir = wantedUser(pod, member, index).workingDir?.value;
  const hasHome = variables.has('HOME') || config?.env['HOME'] !== undefined;
  // Who does not start as root can't write to /etc/hosts.
  const isWriter = config !== undefined && startsAsRoot(config);
  const orders: ContainerOrders = {
    ...ordersHeader(pod, access),
    kind: 'container',
    container: container.name,
    mode: 'exec',
    program: {
      argv: argv.value,
      ...(env.orders.length > 0 && { env: env.orders }),
      ...(workingDir !== undefined && { workingDir }),
      ...programRights({ pod, container, member, index }, config, hasHome),
    },
    ...(host !== undefined && isWriter && { hosts: hostLine(host) }),
    ...(subPaths.length > 0 && { subPaths }),
  };
  return ok({ orders, environmentVariables: env.group });
}

const hostLine = ({ hostname, domain }: PodHost): NonNullable<ContainerOrders['hosts']> => ({
  hostname,
  ...(domain !== undefined && { domain }),
});
