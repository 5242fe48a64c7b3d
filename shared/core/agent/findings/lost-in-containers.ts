import type { Container, Pod, Probe } from '../../kubernetes/pod.ts';
import { needsAgentForProbes, probedPort } from '../../pod/probes.ts';
import { locatedContainers } from '../../pod/rules/rule.ts';
import type { Located } from '../../pod/rules/rule.ts';
import type { Need } from '../tier.ts';
import { concerned, keyText } from '../wraps.ts';
import type { Obstacle, Wraps } from '../wraps.ts';
import { foundThat } from './lost-features.ts';
import type { LostFeatures } from './lost-features.ts';

interface LostScope {
  readonly wraps: Wraps;
  readonly needs: readonly Need[];
  /** By `keyText`, as whom containers start whose image has another user than root; absent: nobody knows. */
  readonly others: ReadonlyMap<string, string> | undefined;
  readonly lost: LostFeatures;
}

/** What can't be had once it is known which programs the agent starts. */
export const lostInContainers = (pod: Pod, scope: LostScope): readonly Obstacle[] => [
  ...otherUsers(pod, scope),
  ...ofProbes(pod, scope),
];

/** An agent that can't write its own files: said by the field that a pod has it for. */
function otherUsers(pod: Pod, { wraps, needs, others = new Map(), lost }: LostScope): readonly Obstacle[] {
  const id = lost.get('the agent in a container whose image has another user than root');
  if (id === undefined) return [];
  return [...wraps.keys()].flatMap((key) => {
    const user = others.get(key);
    const hard = needs.filter(({ strength }) => strength === 'needs');
    const need = hard.find((one) => concerned(pod, one).includes(key)) ?? hard[0] ?? needs[0];
    if (user === undefined || need === undefined) return [];
    return [{ field: need.field, why: `the image of spec.${key} runs as ${user}, and ${foundThat(id)}` }];
  });
}

const members = ['livenessProbe', 'readinessProbe', 'startupProbe'] as const;

function ofProbes(pod: Pod, { wraps, lost }: LostScope): readonly Obstacle[] {
  const beside = locatedContainers(pod).filter((located) => wraps.get(keyText(located)) === 'supervise');
  const unheard = lost.get('probes of readiness and startup by the agent');
  const apart = lost.get('probes of the agent to another container’s port');
  return beside.flatMap((located) => [
    ...(unheard === undefined ? [] : unheardReadiness(located, foundThat(unheard))),
    ...(apart === undefined ? [] : othersPorts(pod, located, foundThat(apart))),
  ]);
}

/** The relay leaves it to an agent that has other probes of the container to make. */
const unheardReadiness = ({ container, path }: Located, why: string): readonly Obstacle[] =>
  container.readinessProbe !== undefined && needsAgentForProbes(container)
    ? [{ field: `${path}.readinessProbe`, why }]
    : [];

/** The port of a probe at the group itself. */
function portOf(container: Container, { handler }: Probe): number | undefined {
  if (handler.kind === 'grpc') return handler.port;
  const isOwn = (handler.kind === 'httpGet' || handler.kind === 'tcpSocket') && handler.host === undefined;
  return isOwn ? probedPort(container, handler.port) : undefined;
}

const declares = ({ ports }: Container, port: number): boolean =>
  ports.some(({ containerPort }) => containerPort === port);

function othersPorts(pod: Pod, { container, path }: Located, why: string): readonly Obstacle[] {
  const others = pod.spec.containers.filter((other) => other !== container);
  return members.flatMap((member) => {
    const probe = container[member];
    const port = probe && portOf(container, probe);
    if (port === undefined || declares(container, port)) return [];
    return others.some((other) => declares(other, port)) ? [{ field: `${path}.${member}`, why }] : [];
  });
}
