import { probedPort } from '../probes.ts';
import { refuse } from '../outcome.ts';
import { locatedContainers } from './rule.ts';
import type { Rule } from './rule.ts';

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
