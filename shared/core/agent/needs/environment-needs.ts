import type { Pod } from '../../kubernetes/pod.ts';
import { isGroupEnvName } from '../../pod/environment.ts';
import { fieldAvailability } from '../../pod/field-ref.ts';
import { locatedContainers } from '../../pod/rules/rule.ts';
import type { Need } from '../tier.ts';

/** Variables that ACI can't carry: by their names, or because only the group knows their values. */
export const environmentNeeds = (pod: Pod): readonly Need[] =>
  locatedContainers(pod).flatMap(({ container, path, member, index }) =>
    container.env.flatMap(({ name, valueFrom }, at): readonly Need[] => {
      const field = `${path}.env[${at}]`;
      const fieldPath = valueFrom?.fieldRef?.fieldPath;
      const isLate = fieldPath !== undefined && fieldAvailability(fieldPath, 'environment') === 'late';
      const need = { tier: 'T1', strength: 'needs', concerns: { member, index } } as const;
      return [
        ...(isGroupEnvName(name)
          ? []
          : [
              {
                ...need,
                field: `${field}.name`,
                why: `ACI takes letters, digits and _ only, at most 63; rename ${name}`,
              },
            ]),
        ...(isLate
          ? [
              {
                ...need,
                field: `${field}.valueFrom.fieldRef`,
                why: `${fieldPath} is known only after the group has started`,
              },
            ]
          : []),
      ];
    }),
  );
