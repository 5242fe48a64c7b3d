import type { WebSocket } from 'ws';
import { failedTerminal } from '../runtime/terminals.ts';
import type { ExecEndpoint } from './endpoint.ts';
import { sendOutput } from './output.ts';
import type { SessionOrder } from './sessions.ts';

export interface LogStreamOptions {
  readonly socket: WebSocket;
  readonly order: SessionOrder;
  readonly endpoint: ExecEndpoint;
  readonly log: (message: string) => void;
}

/** One WebSocket of an attach: what the container writes from now on; what the client sends is not read. */
export async function streamLog({ socket, order, endpoint, log }: LogStreamOptions): Promise<void> {
  const { group, container } = order;
  const gone = new AbortController();
  socket.on('close', () => gone.abort());
  try {
    const running = group.life?.running(container);
    const output =
      (await running?.followOutput(gone.signal)) ?? failedTerminal(`container ${container} does not run`).output;
    await sendOutput(socket, output, () => endpoint.knobs);
  } catch (error) {
    log(`attach to ${group.name}/${container}: ${error instanceof Error ? error.message : String(error)}`);
    socket.close(1011);
  }
}
