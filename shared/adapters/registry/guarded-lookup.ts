import { lookup } from 'node:dns';
import type { LookupAddress, LookupAllOptions, LookupOptions } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isForbiddenAddress } from '../../core/image/forbidden-address.ts';

/** Resolves a name to all its addresses: `lookup` of node:dns with `all`. */
export type ResolveAll = (
  hostname: string,
  options: LookupAllOptions,
  /** Without addresses where there is an error, whatever the types of node:dns say. */
  done: (error: NodeJS.ErrnoException | null, addresses?: LookupAddress[]) => void,
) => void;

/** Every address of a name is forbidden. */
export class ForbiddenAddress extends Error {}

/**
 * A socket's `lookup` that gives no forbidden address: what is checked is what is connected to, so that a name can't
 * resolve to one address for a check and to another for the connection. An address in place of a name never comes here.
 */
export function guardedLookup(resolve: ResolveAll = lookup): LookupFunction {
  return (hostname, options: LookupOptions, done) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      const allowed = addresses?.filter(({ address }) => !isForbiddenAddress(address)) ?? [];
      const [first] = allowed;
      if (error !== null) done(error, []);
      else if (first === undefined) done(new ForbiddenAddress(), []);
      else if (options.all === true) done(null, allowed);
      else done(null, first.address, first.family);
    });
  };
}
