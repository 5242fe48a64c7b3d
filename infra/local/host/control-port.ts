import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { FunctionCounter } from './counters.ts';
import type { TimerFaults } from './timer-schedule.ts';
import type { WorkerRow } from './worker-slot.ts';

/** What the control port may do to a host; the host itself implements it. */
export interface HostControl {
  /**
   * Signals instances, or their workers alone: `timer:<name>`, `http:<index>`, `http`, `timers` or `all`. Answers how many
   * were alive to take it. The locks of an instance that is killed run out; those of one whose worker dies stay.
   */
  kill(target: string, signal: NodeJS.Signals, what: 'instance' | 'worker'): number;
  /** Kills all workers and keeps the app down for the time. */
  pause(ms: number): void;
  restart(): Promise<void>;
  workers(): WorkerRow[];
  invocations(): Record<string, FunctionCounter>;
  setTimerFaults(faults: TimerFaults): void;
}

const SIGNALS: readonly NodeJS.Signals[] = ['SIGKILL', 'SIGTERM', 'SIGSTOP', 'SIGCONT'];

interface Answer {
  readonly status: number;
  body: unknown;
}

function positive(text: string | null): number | undefined {
  const value = Number(text);
  return text !== null && Number.isFinite(value) && value > 0 ? value : undefined;
}

function kill(control: HostControl, query: URLSearchParams): Answer {
  const signal = SIGNALS.find((name) => name === (query.get('signal') ?? 'SIGKILL'));
  const target = query.get('target');
  if (signal === undefined || target === null)
    return { status: 400, body: { error: `target is required; signal is one of ${SIGNALS.join(', ')}` } };
  const killed = control.kill(target, signal, query.get('of') === 'worker' ? 'worker' : 'instance');
  return killed === 0
    ? { status: 404, body: { error: `no living worker matches "${target}"` } }
    : { status: 200, body: { killed } };
}

function pause(control: HostControl, query: URLSearchParams): Answer {
  const ms = positive(query.get('ms'));
  if (ms === undefined) return { status: 400, body: { error: 'ms is a number above 0' } };
  control.pause(ms);
  return { status: 200, body: { pausedMs: ms } };
}

async function act(control: HostControl, call: string, query: URLSearchParams): Promise<Answer> {
  switch (call) {
    case 'GET /workers':
      return { status: 200, body: control.workers() };
    case 'GET /invocations':
      return { status: 200, body: control.invocations() };
    case 'POST /kill':
      return kill(control, query);
    case 'POST /pause':
      return pause(control, query);
    case 'POST /restart':
      await control.restart();
      return { status: 200, body: {} };
    case 'POST /timers': {
      const faults = { lateMs: positive(query.get('lateMs')), missEvery: positive(query.get('missEvery')) };
      control.setTimerFaults(faults);
      return { status: 200, body: faults };
    }
    default:
      return { status: 404, body: { error: `no such call: ${call}` } };
  }
}

/** Web pages of the same machine's browser can reach loopback ports: only a plain local client is served. */
function isLocalClient(request: IncomingMessage): boolean {
  return request.headers.origin === undefined && /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? '');
}

/** The host's own loopback port for tests and demonstrations: kills, pauses and counters. No part of Azure has its like. */
export function createControlPort(control: HostControl): Server {
  return createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const answering = isLocalClient(request)
      ? act(control, `${request.method ?? 'GET'} ${url.pathname}`, url.searchParams)
      : Promise.resolve<Answer>({ status: 403, body: { error: 'only local clients' } });
    answering
      .catch((thrown: unknown): Answer => ({
        status: 500,
        body: { error: thrown instanceof Error ? thrown.message : String(thrown) },
      }))
      .then(({ status, body }) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
      )
      .catch(() => response.destroy());
  });
}
