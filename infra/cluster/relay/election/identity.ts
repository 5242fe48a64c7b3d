import { randomUUID } from 'node:crypto';
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';

/**
 * Of this process, and of no other ever: the host's name, which in a pod is the pod's, a random part, and the address at
 * which other replicas reach it.
 */
export const ownIdentity = (): string => [hostname(), randomUUID(), ownAddress() ?? 'unreachable'].join('_');

/** The address in such an identity. */
export function addressOf(identity: string): string | undefined {
  const last = identity.split('_').at(-1) ?? '';
  return isIP(last) === 0 ? undefined : last;
}

/** A pod has one network; IPv4 where it has both. */
function ownAddress(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses);
  const usable = all.filter(({ internal, address }) => !internal && !address.startsWith('fe80:'));
  return (usable.find(({ family }) => family === 'IPv4') ?? usable[0])?.address;
}
