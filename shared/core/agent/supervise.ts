import { defined } from '../defined.ts';
import type { ImageConfig } from '../image/image-config.ts';
import type { Container, Pod, RestartPolicy } from '../kubernetes/pod.ts';
import { absolutePath } from '../pod/nested-paths.ts';
import type { Located } from '../pod/rules/rule.ts';
import { flatContainers } from '../pod/sidecars.ts';
import { isSidecar } from '../status/restart.ts';
import { hookOrders, probeOrders } from './handler-orders.ts';
import { defaultMessagePath } from './needs/message-needs.ts';
import type { Supervise } from './orders.ts';

export interface SuperviseScope {
  readonly pod: Pod;
  readonly config: Pick<ImageConfig, 'stopSignal'> | undefined;
}

/** Whether a flat init container, one that ACI runs before the others, or no init container. */
type Place = 'main' | 'flat' | 'first';

function placeOf(pod: Pod, { member, index }: Located): Place {
  if (member === 'containers') return 'main';
  return flatContainers(pod).some((flat) => flat.index === index) ? 'flat' : 'first';
}

const policies: readonly RestartPolicy[] = ['Always', 'OnFailure', 'Never'];

/** What ACI does with a container that ends: an init container under `Always` is run again only when it failed. */
const groupPolicy = ({ spec }: Pod, place: Place): RestartPolicy =>
  place === 'first' && spec.restartPolicy === 'Always' ? 'OnFailure' : spec.restartPolicy;

/** The container's own policy, where it is another than the group's. */
function restartOf(pod: Pod, { container }: Located, place: Place): Supervise['restart'] {
  const { restartPolicy, restartPolicyRules: rules = [] } = container;
  const policy = policies.find((one) => one === restartPolicy);
  const group = groupPolicy(pod, place);
  if (rules.length === 0) return policy === undefined || policy === group ? undefined : { policy };
  return { policy: policy ?? group, rules };
}

/** Each flat init container starts after the one before it, all others after the last; sidecars end in reverse order. */
function orderOf(
  pod: Pod,
  { container, index }: Located,
  place: Place,
): Pick<Supervise, 'after' | 'endAfter' | 'once'> {
  const flat = flatContainers(pod);
  if (place === 'first' || flat.length === 0) return {};
  const at = place === 'main' ? flat.length : flat.findIndex((one) => one.index === index);
  const before = flat[at - 1];
  const after = before && [
    { container: before.container.name, until: before.isSidecar ? ('started' as const) : ('succeeded' as const) },
  ];
  if (place === 'main') return defined({ after });
  if (!isSidecar(container)) return { ...defined({ after }), once: true };
  const later = flat.slice(at + 1).filter((one) => one.isSidecar);
  const endAfter = [...pod.spec.containers, ...later.map((one) => one.container)].map(({ name }) => name);
  return { ...defined({ after }), endAfter };
}

/** All of them: who is beside the program knows sooner than ACI or the relay, and a startup probe holds back the others. */
const probesOf = (container: Container): Partial<Supervise> =>
  defined({
    startupProbe: probeOrders(container, container.startupProbe),
    livenessProbe: probeOrders(container, container.livenessProbe),
    readinessProbe: probeOrders(container, container.readinessProbe),
  });

/** What the agent does beside the program of a container. */
export function superviseOrders(located: Located, { pod, config }: SuperviseScope): Supervise {
  const { container } = located;
  const { lifecycle = {}, terminationMessagePath: path = '', terminationMessagePolicy: policy } = container;
  const place = placeOf(pod, located);
  return {
    restartPolicy: groupPolicy(pod, place),
    graceSeconds: pod.spec.terminationGracePeriodSeconds,
    ...defined({ stopSignal: lifecycle.stopSignal ?? config?.stopSignal }),
    ...orderOf(pod, located, place),
    ...defined({ restart: restartOf(pod, located, place) }),
    termination: {
      path: absolutePath(path === '' ? defaultMessagePath : path),
      ...(policy === 'FallbackToLogsOnError' ? { policy, keepLog: true } : { policy: 'File' }),
    },
    ...probesOf(container),
    ...defined({
      postStart: hookOrders(container, lifecycle.postStart),
      preStop: hookOrders(container, lifecycle.preStop),
    }),
  };
}
