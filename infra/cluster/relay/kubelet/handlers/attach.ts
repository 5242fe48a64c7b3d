import type { KubeletContext, KubeletHandler } from '../call.ts';
import { openSession } from '../open-session.ts';
import { serveCommand } from '../serve-command.ts';
import type { Command } from '../serve-command.ts';
import type { Outcome } from '../streams/command-streams.ts';

const noInput =
  'note: Azure Container Instances shows what a container writes and lets nobody write to it: input is dropped\n';

/** `/attach/{namespace}/{pod}[/{uid}]/{container}`: what a container writes from now on, until it ends. */
export const attach: KubeletHandler = (context, call) =>
  serveCommand(context, call, { kind: 'attach', run, whenOver: { kind: 'exited', code: 0 } });

async function run(context: KubeletContext, { target, options, streams, signal }: Command): Promise<Outcome> {
  const output = streams.stdout ?? streams.stderr;
  if (options.stdin) {
    await (streams.stderr ?? output)?.write(Buffer.from(noInput));
    void drop(streams.stdin);
  }
  const opened = await openSession(context, target, { terminalSize: undefined, signal });
  if (!opened.ok) return { kind: 'failed', message: `error attaching to container: ${opened.message}` };
  const { socket } = opened;
  const close = (): void => socket.close();
  signal.addEventListener('abort', close, { once: true });
  if (signal.aborted) close();
  for (let bytes = await socket.read(); bytes !== undefined; bytes = await socket.read()) await output?.write(bytes);
  signal.removeEventListener('abort', close);
  close();
  // Its exit code is in the pod's status, where clients of an attach look for it.
  return { kind: 'exited', code: 0 };
}

async function drop(stdin: Command['streams']['stdin']): Promise<void> {
  for (let bytes = await stdin?.read(); bytes !== undefined; bytes = await stdin?.read());
}
