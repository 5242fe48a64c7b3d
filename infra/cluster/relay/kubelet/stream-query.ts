import type { StreamOptions } from './streams/command-streams.ts';

/** What a client asks of an exec or attach. */
export type StreamQuery =
  | { readonly ok: true; readonly options: StreamOptions; readonly command: readonly Buffer[] }
  /** In a kubelet's words; for a 400. */
  | { readonly ok: false; readonly message: string };

/** A text of a query as the bytes that it stands for: an argument need not be UTF-8. */
function bytesOfText(text: string): Buffer {
  const latin = text
    .replaceAll('+', ' ')
    .replaceAll(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  return Buffer.from(latin, 'latin1');
}

/** All values of one parameter, in their order. */
const valuesOf = (url: string, name: string): readonly Buffer[] =>
  url
    .split('?')
    .slice(1)
    .join('?')
    .split('&')
    .flatMap((pair) => {
      const [key = '', ...value] = pair.split('=');
      return bytesOfText(key).toString('latin1') === name ? [bytesOfText(value.join('='))] : [];
    });

const isOne = (url: string, name: string): boolean => valuesOf(url, name)[0]?.toString('latin1') === '1';

/** As a kubelet reads them: `input`, `output`, `error`, `tty`, each `1` or not there; with a terminal there is no stream of errors. */
export function parseStreamQuery(url: string, kind: 'exec' | 'attach'): StreamQuery {
  const tty = isOne(url, 'tty');
  const options = {
    stdin: isOne(url, 'input'),
    stdout: isOne(url, 'output'),
    stderr: isOne(url, 'error') && !tty,
    tty,
  };
  if (!options.stdin && !options.stdout && !options.stderr)
    return { ok: false, message: 'you must specify at least 1 of stdin, stdout, stderr' };
  const command = kind === 'exec' ? valuesOf(url, 'command') : [];
  if (kind === 'exec' && command.length === 0)
    return { ok: false, message: 'you must specify at least one command for the container' };
  return { ok: true, options, command };
}

export type PortQuery =
  | { readonly ok: true; readonly ports: readonly number[] }
  | { readonly ok: false; readonly message: string };

/** More than this in one session are asked for by nobody. */
const mostPorts = 64;

/** The ports of a session over WebSocket channels, `port=80,81&port=82`; in a kubelet's words where they are none. */
export function parsePortQuery(url: string): PortQuery {
  const values = valuesOf(url, 'port').map((value) => value.toString('latin1'));
  if (values.length === 0) return { ok: false, message: 'query parameter "port" is required' };
  if (values.includes('')) return { ok: false, message: 'query parameter "port" cannot be empty' };
  const ports: number[] = [];
  for (const value of values)
    for (const text of value.split(',')) {
      if (!isPort(text)) return { ok: false, message: `unable to parse ${JSON.stringify(value)} as a port` };
      if (Number(text) < 1) return { ok: false, message: `port ${JSON.stringify(value)} must be > 0` };
      ports.push(Number(text));
    }
  return ports.length > mostPorts ? { ok: false, message: `at most ${mostPorts} ports` } : { ok: true, ports };
}

/** A number of 16 bits in digits. */
export const isPort = (text: string): boolean => /^\d{1,5}$/.test(text) && Number(text) <= 65_535;
