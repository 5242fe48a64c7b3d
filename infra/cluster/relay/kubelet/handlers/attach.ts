import type { TerminalSize } from '../../../../../shared/core/streams/stream-session.ts';
import type { OfferedFarEnd } from '../../../../../shared/wire/relay-protocol/far-ends.ts';
import type { SessionSocket } from '../aci/session-socket.ts';
import { runByAgent } from '../agent/agent-command.ts';
import type { KubeletContext, KubeletHandler } from '../call.ts';
import { firstSize } from '../first-size.ts';
import { newNonce } from '../nonce.ts';
import { openSession } from '../open-session.ts';
import { serveCommand } from '../serve-command.ts';
import type { Command } from '../serve-command.ts';
import { streamTimes } from '../stream-times.ts';
import type { Outcome } from '../streams/command-streams.ts';

const noInput =
  'note: Azure Container Instances shows what a container writes and lets nobody write to it: input is dropped\n';
const noStdin = 'note: the container has no stdin: input is dropped\n';

/**
 * `/attach/{namespace}/{pod}[/{uid}]/{container}`: what a container writes from now on, until it ends. One with `stdin` or `tty` has
 * the agent, which also brings it its input, and keeps its output and its errors apart.
 */
export const attach: KubeletHandler = (context, call) =>
  serveCommand(context, call, { kind: 'attach', run, whenOver: attached });

/** A program's exit code is in the pod's status, where clients of an attach look for it. */
const attached: Outcome = { kind: 'exited', code: 0 };

const failure = (why: string): Outcome => ({ kind: 'failed', message: `error attaching to container: ${why}` });

async function run(context: KubeletContext, command: Command): Promise<Outcome> {
  const { target, signal } = command;
  const { stdin, tty } = streamsOf(command);
  const size = stdin || tty ? await firstSize(context, command) : undefined;
  const farEnds: readonly OfferedFarEnd[] = size === undefined ? [] : ['agent'];
  const opened = await openSession(context, target, { kind: 'attach', terminalSize: size, farEnds, signal });
  if (!opened.ok) return failure(opened.message);
  return opened.farEnd === 'agent' && size !== undefined
    ? join(context, command, { terminal: opened.socket, stdin, tty, size })
    : show(opened.socket, command);
}

/** What the container has of an input and of a terminal. */
function streamsOf({ pod, target }: Command): { readonly stdin: boolean; readonly tty: boolean } {
  const all = [...pod.spec.initContainers, ...pod.spec.containers];
  const { stdin = false, tty = false } = all.find(({ name }) => name === target.container) ?? {};
  return { stdin, tty };
}

interface Joining {
  readonly terminal: SessionSocket;
  readonly stdin: boolean;
  readonly tty: boolean;
  readonly size: TerminalSize;
}

async function join(context: KubeletContext, command: Command, { stdin, ...joining }: Joining): Promise<Outcome> {
  const { options, streams, signal } = command;
  if (options.stdin && !stdin) await dropInput(command, noStdin);
  const { beginMs, presenceMs } = streamTimes(context);
  const ended = await runByAgent({
    ...joining,
    argv: undefined,
    hasStdin: options.stdin && stdin,
    streams,
    signal,
    nonce: newNonce(),
    beginMs,
    presenceMs,
  });
  switch (ended.kind) {
    case 'exited':
      return attached;
    case 'failed':
      return failure(ended.why);
    case 'absent':
      return failure('the container has ended, or its agent is not there');
  }
}

async function show(socket: SessionSocket, command: Command): Promise<Outcome> {
  const { options, streams, signal } = command;
  const output = streams.stdout ?? streams.stderr;
  if (options.stdin) await dropInput(command, noInput);
  const close = (): void => socket.close();
  signal.addEventListener('abort', close, { once: true });
  if (signal.aborted) close();
  for (let bytes = await socket.read(); bytes !== undefined; bytes = await socket.read()) await output?.write(bytes);
  signal.removeEventListener('abort', close);
  close();
  return attached;
}

async function dropInput({ streams }: Command, note: string): Promise<void> {
  await (streams.stderr ?? streams.stdout)?.write(Buffer.from(note));
  void drop(streams.stdin);
}

async function drop(stdin: Command['streams']['stdin']): Promise<void> {
  for (let bytes = await stdin?.read(); bytes !== undefined; bytes = await stdin?.read());
}
