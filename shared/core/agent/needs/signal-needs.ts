import type { Container, Pod } from '../../kubernetes/pod.ts';
import { locatedContainers } from '../../pod/rules/rule.ts';
import type { Need } from '../tier.ts';

/** A shell's `trap … TERM` (or its number), and how other languages name the signal. */
const handler = /\btrap\b[^]*?\b(?:TERM|15)\b|\bSIGTERM\b/;

const handlesIt = ({ command, args }: Container): boolean => [...command, ...args].some((text) => handler.test(text));

/** A program whose own script handles SIGTERM has something to do before it ends, which a stop of ACI does not wait for. */
export const signalNeeds = (pod: Pod): readonly Need[] =>
  locatedContainers(pod)
    .filter(({ container }) => handlesIt(container))
    .map(({ container, path, member, index }) => ({
      tier: 'T2',
      strength: 'wants',
      field: `${path}.${container.command.some((text) => handler.test(text)) ? 'command' : 'args'}`,
      why: '',
      concerns: { member, index },
    }));
