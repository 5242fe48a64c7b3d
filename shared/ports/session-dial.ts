import type { Result } from '../core/fault.ts';
import type { StreamSession } from '../core/streams/stream-session.ts';

/**
 * Connects to a session that only reads (ARM's attach), to see whether it can be reached from here, and leaves it. Bounded by
 * `signal` in time. Nothing changes in the container.
 *
 * Faults: `transient`, with a sentence that names the host, the port and what may be in the way.
 */
export type SessionDial = (session: StreamSession, signal: AbortSignal) => Promise<Result<void>>;
