/** How the channels of a WebSocket are spoken (KEP-4006). */
export interface ChannelProtocol {
  /** As it is agreed on; empty: the client named none. */
  readonly name: string;
  readonly isBase64: boolean;
  /** Whether the end is a `v1.Status`, or a plain text that is empty when all went well. */
  readonly hasStatus: boolean;
  /** Whether a client can say that it writes no more to a channel. */
  readonly hasClose: boolean;
}

const protocol = (name: string, flags: Partial<ChannelProtocol> = {}): ChannelProtocol => ({
  name,
  isBase64: name.includes('base64'),
  hasStatus: false,
  hasClose: false,
  ...flags,
});

const v4 = [
  protocol('v4.channel.k8s.io', { hasStatus: true }),
  protocol('v4.base64.channel.k8s.io', { hasStatus: true }),
];

/** Of exec and attach. */
export const commandProtocols: readonly ChannelProtocol[] = [
  protocol('v5.channel.k8s.io', { hasStatus: true, hasClose: true }),
  ...v4,
  protocol('channel.k8s.io'),
  protocol('base64.channel.k8s.io'),
  protocol(''),
];

/** Of port-forward, where the client does not bring SPDY with it. */
export const portProtocols: readonly ChannelProtocol[] = [...v4, protocol('')];

/** SPDY/3.1 within binary messages. */
export const tunnelProtocol = 'SPDY/3.1+portforward.k8s.io';

/** The names in a `Sec-WebSocket-Protocol` or `X-Stream-Protocol-Version` header, in the client's order. */
export const protocolNames = (header: string | readonly string[] | undefined): readonly string[] =>
  [header ?? []]
    .flat()
    .flatMap((value) => value.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '');

/** The first of the client's that is known, as a kubelet chooses; without any the one without a name. Undefined: none fits. */
export function chooseProtocol<T extends { readonly name: string }>(
  names: readonly string[],
  known: readonly T[],
): T | undefined {
  const wanted = names.length === 0 ? [''] : names;
  return wanted.flatMap((name) => known.find((one) => one.name === name) ?? []).at(0);
}
