import type { Container, Pod } from '../../kubernetes/pod.ts';
import { locatedContainers } from '../../pod/rules/rule.ts';
import type { Need } from '../tier.ts';

/** The API server fills it in, so that it says nothing of what the program does. */
export const defaultMessagePath = '/dev/termination-log';

const namesIt = ({ command, args, env }: Container): boolean =>
  [...command, ...args, ...env.map(({ value = '' }) => value)].some((text) => text.includes(defaultMessagePath));

/** A program that is given the path of its termination message writes one; another path than the default is a row of the table. */
export const messageNeeds = (pod: Pod): readonly Need[] =>
  locatedContainers(pod)
    .filter(({ container }) => container.terminationMessagePath === defaultMessagePath && namesIt(container))
    .map(({ path, member, index }) => ({
      tier: 'T2',
      strength: 'wants',
      field: `${path}.terminationMessagePath`,
      why: '',
      concerns: { member, index },
    }));
