import type { Text } from '../agent/orders.ts';
import { containerCommand } from '../image/container-command.ts';
import type { ImageConfig } from '../image/image-config.ts';
import type { Container } from '../kubernetes/pod.ts';
import type { Variables } from './environment.ts';
import { expand, isTooLong, tooLong } from './expansion.ts';
import type { EnvValue } from './expansion.ts';
import { all, configError, ok, refuse } from './evaluation.ts';
import type { Evaluation } from './evaluation.ts';

/** Without an image's word `command` and `args` are as they are. */
const unasked = { entrypoint: [], cmd: [] };

/** Why ACI can't be given a word. */
export const secretInCommand =
  'a value of a Secret would be in the command, which everybody who may read the group can see; read it from the environment instead';

const lateInCommand = 'it needs what is known only after the group has started';

interface CommandScope {
  readonly variables: Variables;
  readonly path: string;
  /** Of the container's image; undefined: it was not asked for. */
  readonly config: Pick<ImageConfig, 'entrypoint' | 'cmd'> | undefined;
}

/** A word of the pod, expanded, and the field that it is. */
interface PodWord extends EnvValue {
  readonly field: string;
}

/** The words of `command` and `args` after expansion. */
export function podWords(
  { command, args }: Pick<Container, 'command' | 'args'>,
  { variables, path }: Pick<CommandScope, 'variables' | 'path'>,
): Readonly<Record<'command' | 'args', readonly PodWord[]>> {
  const words = (member: 'command' | 'args', list: readonly string[]): readonly PodWord[] =>
    list.map((word, index) => ({
      ...expand(word, (name) => variables.get(name)),
      field: `${path}.${member}[${index}]`,
    }));
  return { command: words('command', command), args: words('args', args) };
}

/** Each as `read` has it; what is too long for a request is refused. */
function readWords<T>(
  container: Container,
  scope: CommandScope,
  read: (word: PodWord) => Evaluation<T>,
): Evaluation<{ readonly command: readonly T[]; readonly args: readonly T[] }> {
  const words = podWords(container, scope);
  const bounded = (word: PodWord): Evaluation<T> => (isTooLong(word) ? refuse(word.field, tooLong) : read(word));
  const command = all(words.command.map(bounded));
  if (command.kind !== 'ok') return command;
  const args = all(words.args.map(bounded));
  return args.kind === 'ok' ? ok({ command: command.value, args: args.value }) : args;
}

/** `command` and `args`, expanded and joined, `args` alone behind the image's entrypoint; undefined: what the image says. */
export function groupCommand(container: Container, scope: CommandScope): Evaluation<readonly string[] | undefined> {
  const words = readWords(container, scope, ({ value, secret, late, field }) => {
    if (secret) return refuse(field, secretInCommand);
    return late === true ? refuse(field, lateInCommand) : ok(value);
  });
  if (words.kind !== 'ok') return words;
  const { command, args } = words.value;
  if (command.length + args.length === 0) return ok(undefined);
  return ok(containerCommand({ command, args }, scope.config ?? unasked));
}

/** As the agent's orders have it, what is late as a template. */
export const textOf = ({ value, late }: EnvValue): Text => (late === true ? { template: value } : value);

/** The whole command line, for the agent: nobody can read it. */
export function programArgv(container: Container, scope: CommandScope): Evaluation<readonly Text[]> {
  const words = readWords(container, scope, (word) => ok(textOf(word)));
  if (words.kind !== 'ok') return words;
  const argv = containerCommand(words.value, scope.config ?? unasked);
  // In the words of a container runtime, as a kubelet passes them on.
  return argv.length > 0 ? ok(argv) : { ...configError('no command specified'), field: `${scope.path}.image` };
}
