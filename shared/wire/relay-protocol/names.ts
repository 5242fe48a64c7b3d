import * as z from 'zod';

/** As the API server allows them (DNS-1123): all that follows makes paths, keys and log lines of them. */
export const dnsName = (longest: number) =>
  z
    .string()
    .max(longest)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'a name of a–z, 0–9, "-" and "."');

export const podUid = z.string().regex(/^[0-9a-zA-Z-]{1,128}$/);
