import type { Hook, ProbeHandler } from '../../kubernetes/pod.ts';
import { probedPort } from '../probes.ts';
import { refuse } from '../evaluation.ts';
import { locatedContainers } from './rule.ts';
import type { Rule } from './rule.ts';

const probes = ['livenessProbe', 'readinessProbe', 'startupProbe'] as const;
const hooks = ['postStart', 'preStop'] as const;

/** A kubelet would go on without the probe, or fail the hook, and log why; here nobody would see that. */
export const probePortsRule: Rule = (pod) =>
  locatedContainers(pod).flatMap(({ container, path }) => {
    const { lifecycle = {} } = container;
    const handlers: readonly (readonly [member: string, handler: ProbeHandler | Hook | undefined])[] = [
      ...probes.map((member) => [member, container[member]?.handler] as const),
      ...hooks.map((member) => [`lifecycle.${member}`, lifecycle[member]] as const),
    ];
    return handlers.flatMap(([member, handler]) => {
      if (handler === undefined || !('port' in handler) || probedPort(container, handler.port) !== undefined) return [];
      return [
        refuse(`${path}.${member}.${handler.kind}.port`, `the container has no port of the name ${handler.port}`),
      ];
    });
  });
