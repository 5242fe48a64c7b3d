import type { ProjectedSource } from '../../kubernetes/pod.ts';
import { mountedVolumes } from '../../pod/mounted-volumes.ts';
import { outlivedTokens } from '../../pod/token-notices.ts';
import { podWords, secretInCommand } from '../../pod/command.ts';
import { isGroupEnvName, resolveEnvironment } from '../../pod/environment.ts';
import type { EnvironmentScope } from '../../pod/environment.ts';
import { locatedContainers } from '../../pod/rules/rule.ts';
import type { Located } from '../../pod/rules/rule.ts';
import type { Need } from '../tier.ts';

function ofContainer({ container, path, member, index }: Located, scope: EnvironmentScope): readonly Need[] {
  const isExpanded = [...container.command, ...container.args].some((word) => word.includes('$('));
  if (!isExpanded && container.envFrom.length === 0) return [];
  const environment = resolveEnvironment(scope, container, path, { isWrapped: true });
  // What is missing is waited for first.
  if (environment.kind !== 'ok') return [];
  const { variables } = environment.value;
  const { command, args } = podWords(container, { variables, path });
  const own = new Set(container.env.map(({ name }) => name));
  const isOdd = [...variables.keys()].some((name) => !isGroupEnvName(name) && !own.has(name));
  const need = { tier: 'T1', concerns: { member, index } } as const;
  return [
    ...[...command, ...args]
      .filter(({ secret }) => secret)
      .map(({ field }): Need => ({ ...need, strength: 'needs', field, why: secretInCommand })),
    ...(isOdd ? [{ ...need, strength: 'wants', field: `${path}.envFrom`, why: '' } as const] : []),
  ];
}

/** A service outlives its token for certain; a task may be done before, and is only noted. */
function tokenNeeds({ pod, resolved }: EnvironmentScope): readonly Need[] {
  if (pod.spec.restartPolicy !== 'Always') return [];
  const outlived = new Set<ProjectedSource>(outlivedTokens(pod, resolved.tokens).map(({ source }) => source));
  return mountedVolumes(pod).flatMap(({ volume: { source }, path }) =>
    source.kind === 'projected'
      ? source.sources.flatMap((part, index): readonly Need[] => {
          const field = `${path}.projected.sources[${index}].serviceAccountToken`;
          return outlived.has(part) ? [{ tier: 'T2', strength: 'wants', field, why: '', concerns: 'group' }] : [];
        })
      : [],
  );
}

/**
 * What only the objects say that the pod refers to: that a Secret is in a command, that keys are no names for ACI, that a
 * token ends before its pod.
 */
export const contentNeeds = (scope: EnvironmentScope): readonly Need[] => [
  ...locatedContainers(scope.pod).flatMap((located) => ofContainer(located, scope)),
  ...tokenNeeds(scope),
];
