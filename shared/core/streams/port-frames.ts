import { formatNumber, mostPayload, parseNumber } from './agent-frames.ts';

/** The number of a connection, at the beginning of each payload of `/.sk/f`. */
const idBytes = 4;

/** The most data of a connection that one frame carries. */
export const mostPortData = mostPayload - idBytes;

/** How much may be on its way to one side of a connection before anything was granted, in bytes. */
export const portWindow = 262_144;

/** The payload of a frame that is about one connection. */
export function formatPortPayload(id: number, payload: Uint8Array = new Uint8Array(0)): Uint8Array {
  const bytes = new Uint8Array(idBytes + payload.length);
  bytes.set(formatNumber(id));
  bytes.set(payload, idBytes);
  return bytes;
}

/** The payload by which a connection to a port is opened. */
export const formatPortOpening = (id: number, port: number): Uint8Array =>
  formatPortPayload(id, Uint8Array.of(port >>> 8, port & 0xff));

/** Undefined: it is too short for one. */
export function parsePortPayload(
  payload: Uint8Array,
): { readonly id: number; readonly payload: Uint8Array } | undefined {
  const id = parseNumber(payload.subarray(0, idBytes));
  return id === undefined ? undefined : { id, payload: payload.subarray(idBytes) };
}
