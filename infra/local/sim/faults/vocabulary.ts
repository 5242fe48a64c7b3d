/**
 * All that goes wrong in simulations, by one name each. Who plays it is elsewhere: the matrix picks the call
 * (test/matrix), chaos draws (test/chaos), the gate does it to real processes (infra/local/gate).
 */

/** What lies outside of the app, and by which of its ports it is reached. */
export type Port = 'kubernetes' | 'arm' | 'tables';

/** With the registries of images, which only simulations disturb: real processes ask them past the gate. */
export type SimulatedPort = Port | 'registry';

/**
 * Where in one request something happens. `before`: the server never hears of it. `after`: it took effect, and its caller
 * never hears of that. `inside`: it is under way, and arrives after its caller has given up or died.
 */
export type Moment = 'before' | 'inside' | 'after';

/** On which side of its effect a request fails. */
export type Side = Exclude<Moment, 'inside'>;

/**
 * What befalls a process at one of its requests. `kill`: it is no more, and another takes its place. `freeze`: it is
 * still, and then goes on with what it knew.
 */
export interface ProcessFault {
  readonly kind: 'kill' | 'freeze';
  readonly moment: Moment;
}

/** What befalls one request, whatever its port. */
export type NetworkFault =
  /** Refused with the time after which it may be tried again. */
  | 'throttled'
  | 'throttled without Retry-After'
  /** HTTP 500. */
  | `server error ${Side}`
  /** HTTP 503. */
  | `unavailable ${Side}`
  /** No answer comes; the caller's own time-out ends it. */
  | `time-out ${Side}`
  /** The connection is cut. */
  | `reset ${Side}`
  /** Late on the way there: it may take effect when nobody waits for it any more. */
  | 'slow request'
  /** Late on the way back. */
  | 'slow answer'
  /** The true status, and a body that is none. */
  | 'garbage body'
  /** Half the body, and the end of the connection. */
  | 'truncated body'
  | 'token expired'
  /** All requests of a port fail, for a while. */
  | 'port down';

/** Somebody else was quicker, or so it seems. */
export type ConflictFault =
  /** The object was changed since it was read. */
  | '409 resourceVersion'
  /** It was made by somebody else, or by the request before, of which nobody heard. */
  | '409 AlreadyExists'
  /** The object was replaced by another of its name while the request was on its way. */
  | '409 UID'
  /** The row was changed since it was read. */
  | '412 ETag'
  /** Most writes of rows, for a while. */
  | 'ETag storm';

/** What only ARM and ACI do. */
export type ArmFault =
  | '409 ContainerGroupTransitioning'
  | '409 RegistryErrorResponse'
  /** No capacity. */
  | '409 ServiceUnavailable'
  /** The answer of some seconds ago. */
  | 'stale'
  /** A PUT was accepted, and its group is gone. */
  | 'operation lost'
  /** A PUT was accepted, and its group never comes up. */
  | 'provisioning fails'
  /** A DELETE was accepted, and the group stays for some minutes. */
  | 'delete takes long';

export type RequestFault = NetworkFault | ConflictFault | ArmFault;

/** What the network makes of a post of the relay, or of an agent's report. */
export const postFaults = [
  /** It never comes. */
  'dropped',
  'doubled',
  'delayed',
  /** It comes, and something of it again later. */
  'reordered',
  'answer lost',
] as const;
export type PostFault = (typeof postFaults)[number];

/** What befalls the outside of the app as a whole. */
export type WorldFault =
  /** All rows are gone, and with them every lock and intent. */
  | 'tables lost'
  /** Somebody deletes the Node, and PodGC its pods. */
  | 'node deleted'
  /** The node controller takes the node for dead for a moment. */
  | 'node flaps';
