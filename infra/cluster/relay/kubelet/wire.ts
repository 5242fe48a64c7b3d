import type { IncomingMessage } from 'node:http';
import { spdyProtocols } from './streams/command-over-spdy.ts';
import type { SpdyProtocol } from './streams/command-over-spdy.ts';
import {
  chooseProtocol,
  commandProtocols,
  portProtocols,
  protocolNames,
  tunnelProtocol,
} from './streams/web-socket-protocols.ts';
import type { ChannelProtocol } from './streams/web-socket-protocols.ts';
import { wantedProtocol } from './upgrade.ts';

/** No wire could be agreed on: what is answered, in a kubelet's words. */
export interface NoWire {
  readonly kind: 'refused';
  readonly status: 400 | 403;
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
}

export type CommandWire =
  | { readonly kind: 'web-socket'; readonly protocol: ChannelProtocol }
  | { readonly kind: 'spdy'; readonly protocol: SpdyProtocol }
  | NoWire;

export type PortWire =
  | { readonly kind: 'web-socket'; readonly protocol: ChannelProtocol }
  /** SPDY within a WebSocket. */
  | { readonly kind: 'tunnel' }
  | { readonly kind: 'spdy' }
  | NoWire;

/** The header by which both sides of SPDY agree on a version of what is spoken over it. */
export const versionHeader = 'x-stream-protocol-version';
export const portVersion = 'portforward.k8s.io';

/** How an exec or attach is spoken, by the client's headers. */
export function commandWire(request: IncomingMessage): CommandWire {
  switch (wantedProtocol(request)) {
    case 'websocket': {
      const protocol = chooseProtocol(webSocketNames(request), commandProtocols);
      return protocol === undefined
        ? refusedNames(webSocketNames(request), commandProtocols)
        : { kind: 'web-socket', protocol };
    }
    case 'spdy/3.1': {
      const agreed = spdyVersion(request, spdyProtocols);
      return 'kind' in agreed ? agreed : { kind: 'spdy', protocol: agreed };
    }
    default:
      return noUpgrade;
  }
}

/** How a port-forward is spoken. */
export function portWire(request: IncomingMessage): PortWire {
  switch (wantedProtocol(request)) {
    case 'websocket': {
      const names = webSocketNames(request);
      if (names.includes(tunnelProtocol)) return { kind: 'tunnel' };
      const protocol = chooseProtocol(names, portProtocols);
      return protocol === undefined ? refusedNames(names, portProtocols) : { kind: 'web-socket', protocol };
    }
    case 'spdy/3.1': {
      const agreed = spdyVersion(request, [{ name: portVersion }]);
      return 'kind' in agreed ? agreed : { kind: 'spdy' };
    }
    default:
      return noUpgrade;
  }
}

const webSocketNames = ({ headers }: IncomingMessage): readonly string[] =>
  protocolNames(headers['sec-websocket-protocol']);

const noUpgrade: NoWire = {
  kind: 'refused',
  status: 400,
  message: 'unable to upgrade: missing upgrade headers in request',
  headers: {},
};

function spdyVersion<T extends { readonly name: string }>(
  { headers }: IncomingMessage,
  known: readonly T[],
): T | NoWire {
  const names = protocolNames(headers[versionHeader]);
  if (names.length === 0) {
    const message = 'unable to upgrade: header X-Stream-Protocol-Version does not exist in request';
    return { kind: 'refused', status: 400, message, headers: {} };
  }
  return chooseProtocol(names, known) ?? refusedNames(names, known);
}

function refusedNames(names: readonly string[], known: readonly { readonly name: string }[]): NoWire {
  const accepted = known.map(({ name }) => name).filter((name) => name !== '');
  return {
    kind: 'refused',
    status: 403,
    message: `unable to upgrade: unable to negotiate protocol: client supports [${names.join(' ')}], server accepts [${accepted.join(' ')}]`,
    headers: { 'x-accepted-stream-protocol-versions': accepted.join(', ') },
  };
}
