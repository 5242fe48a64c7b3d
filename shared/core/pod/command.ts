import type { Container } from '../kubernetes/pod.ts';
import type { Variables } from './environment.ts';
import { expand } from './expansion.ts';
import { ok, refuse } from './outcome.ts';
import type { Outcome } from './outcome.ts';

function expandWord(word: string, variables: Variables, path: string): Outcome<string> {
  const expanded = expand(word, (name) => variables.get(name));
  if (!expanded.secret) return ok(expanded.value);
  return refuse(
    path,
    'a value of a Secret would stand in the command, which everybody who may read the group can see; read it from the environment instead',
  );
}

/** `command` and `args`, expanded and joined; undefined: what the image says. */
export function groupCommand(
  container: Container,
  variables: Variables,
  path: string,
): Outcome<readonly string[] | undefined> {
  const words: string[] = [];
  for (const member of ['command', 'args'] as const)
    for (const [index, word] of container[member].entries()) {
      const expanded = expandWord(word, variables, `${path}.${member}[${index}]`);
      if (expanded.kind !== 'ok') return expanded;
      words.push(expanded.value);
    }
  return ok(words.length === 0 ? undefined : words);
}
