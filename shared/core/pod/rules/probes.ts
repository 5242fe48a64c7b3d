import { probedPort } from '../probes.ts';
import { refuse } from '../evaluation.ts';
import { locatedContainers } from './rule.ts';
import type { Rule } from './rule.ts';

/** The relay reaches a pod by its address alone. */
export const readinessRule: Rule = (pod, { subnetId }) =>
  subnetId !== undefined
    ? []
    : locatedContainers(pod)
        .filter(({ container }) => container.readinessProbe !== undefined)
        .map(({ path }) =>
          refuse(
            `${path}.readinessProbe`,
            'the pod is in no subnet, so it has no address at which the relay could probe it',
          ),
        );

/** A kubelet would go on without the probe, and log why; here nobody would see that. */
export const probePortsRule: Rule = (pod) =>
  locatedContainers(pod).flatMap(({ container, path }) =>
    (['livenessProbe', 'readinessProbe'] as const).flatMap((member) => {
      const handler = container[member]?.handler;
      if (handler === undefined || !('port' in handler) || probedPort(container, handler.port) !== undefined) return [];
      return [
        refuse(`${path}.${member}.${handler.kind}.port`, `the container has no port of the name ${handler.port}`),
      ];
    }),
  );
