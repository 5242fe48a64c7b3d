import { isContainerName } from '../container-name.ts';
import { fieldAvailability } from '../field-ref.ts';
import { refuse } from '../evaluation.ts';
import { parseResourceField } from '../resource-field.ts';
import { locatedContainers } from './rule.ts';
import type { Rule } from './rule.ts';

export const maxContainers = 60;

/** Hard limits of ACI (docs/aci.md, Limits of a group). */
export const containerCountRule: Rule = ({ spec }) => {
  const count = spec.containers.length + spec.initContainers.length;
  return [
    ...(spec.containers.length === 0 ? [refuse('spec.containers', 'a pod needs a container')] : []),
    ...(count > maxContainers
      ? [refuse('spec.containers', `${count} containers with the init containers; a group takes ${maxContainers}`)]
      : []),
  ];
};

export const containerNamesRule: Rule = (pod) =>
  locatedContainers(pod)
    .filter(({ container }) => !isContainerName(container.name))
    .map(({ path }) => refuse(`${path}.name`, 'lower-case letters, digits and hyphens are expected, at most 63'));

/** What an `env` entry asks of the pod must be something that this version knows. */
export const environmentSourcesRule: Rule = (pod) =>
  locatedContainers(pod).flatMap(({ container, path }) =>
    container.env.flatMap(({ valueFrom }, index) => {
      const { fieldRef, resourceFieldRef } = valueFrom ?? {};
      const field = `${path}.env[${index}].valueFrom`;
      const availability = fieldRef === undefined ? 'known' : fieldAvailability(fieldRef.fieldPath, 'environment');
      return [
        ...(availability === 'unknown'
          ? [refuse(`${field}.fieldRef`, `this version does not know ${fieldRef?.fieldPath}`)]
          : []),
        ...(resourceFieldRef !== undefined && parseResourceField(resourceFieldRef.resource) === undefined
          ? [refuse(`${field}.resourceFieldRef`, `a group has no ${resourceFieldRef.resource}`)]
          : []),
      ];
    }),
  );
