import { StringDecoder } from 'node:string_decoder';
import type { WebSocket } from 'ws';
import type { ExecKnobs } from './knobs.ts';

/**
 * Sends a program's output, and closes when it has ended. When the client has gone the output is read on, for nobody:
 * a program does not notice who looks at it.
 */
export async function sendOutput(
  socket: WebSocket,
  output: AsyncIterable<Uint8Array>,
  knobs: () => ExecKnobs,
): Promise<void> {
  const decoder = new StringDecoder();
  for await (const bytes of output) {
    const message = knobs().execFrames === 'text' ? decoder.write(Buffer.from(bytes)) : bytes;
    if (message.length > 0) await send(socket, message);
  }
  if (knobs().execCloseAbruptly) socket.terminate();
  else socket.close(1000);
}

/** Resolves when it has left, or never will. */
export function send(socket: WebSocket, message: string | Uint8Array): Promise<void> {
  if (socket.readyState !== socket.OPEN) return Promise.resolve();
  return new Promise((resolve) => socket.send(message, () => resolve()));
}
