import { containerCommand } from '../image/container-command.ts';
import type { ImageConfig } from '../image/image-config.ts';
import type { Container } from '../kubernetes/pod.ts';
import type { Variables } from './environment.ts';
import { expand, isTooLong, tooLong } from './expansion.ts';
import { all, ok, refuse } from './evaluation.ts';
import type { Evaluation } from './evaluation.ts';

/** Without an image's word `command` and `args` are as they are. */
const unasked = { entrypoint: [], cmd: [] };

function expandWord(word: string, variables: Variables, path: string): Evaluation<string> {
  const expanded = expand(word, (name) => variables.get(name));
  if (isTooLong(expanded)) return refuse(path, tooLong);
  if (!expanded.secret) return ok(expanded.value);
  return refuse(
    path,
    'a value of a Secret would be in the command, which everybody who may read the group can see; read it from the environment instead',
  );
}

interface CommandScope {
  readonly variables: Variables;
  readonly path: string;
  /** Of the container's image; undefined: it was not asked for. */
  readonly config: Pick<ImageConfig, 'entrypoint' | 'cmd'> | undefined;
}

/** `command` and `args`, expanded and joined, `args` alone behind the image's entrypoint; undefined: what the image says. */
export function groupCommand(
  container: Container,
  { variables, path, config }: CommandScope,
): Evaluation<readonly string[] | undefined> {
  const expandAll = (member: 'command' | 'args'): Evaluation<readonly string[]> =>
    all(container[member].map((word, index) => expandWord(word, variables, `${path}.${member}[${index}]`)));
  const command = expandAll('command');
  if (command.kind !== 'ok') return command;
  const args = expandAll('args');
  if (args.kind !== 'ok') return args;
  if (command.value.length + args.value.length === 0) return ok(undefined);
  return ok(containerCommand({ command: command.value, args: args.value }, config ?? unasked));
}
