/** The documents that the agent reads, member by member as in infra/agent/README.md: it refuses one that it does not know. */

import type { RestartPolicy, RestartRule } from '../kubernetes/pod.ts';

/** A text, or one in which the agent replaces `$(NAME)` by what only the group knows; `$$` is a dollar there. */
export type Text = string | { readonly template: string };

export interface Report {
  readonly url: string;
  readonly filesUrl: string;
  readonly kid: string;
  /** Base64. */
  readonly key: string;
  readonly roots?: string;
  readonly flushSeconds?: number;
}

interface Header {
  readonly schemaVersion: 1;
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string };
  readonly nonce: string;
  readonly report: Report;
}

/** Of one container. */
export interface ContainerOrders extends Header {
  readonly kind: 'container';
  readonly container: string;
  readonly mode: 'exec' | 'supervise';
  readonly program: Program;
  readonly hosts?: { readonly hostname: string; readonly domain?: string };
  readonly subPaths?: readonly SubPath[];
  /** Of mode `supervise`. */
  readonly supervise?: Supervise;
  readonly live?: readonly LiveVolume[];
}

export interface Program {
  readonly argv: readonly Text[];
  readonly env?: readonly Variable[];
  readonly workingDir?: Text;
  readonly user?: User;
  readonly setHome?: true;
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
  readonly noNewPrivileges?: true;
  readonly stdin?: true;
  readonly stdinOnce?: true;
  readonly tty?: true;
}

/** What is absent stays as the image has it. */
export interface User {
  readonly uid?: number;
  readonly gid?: number;
  readonly groups?: readonly number[];
  readonly strict?: true;
}

export type LateField = 'status.podIP' | 'status.podIPs';

export type Variable =
  | { readonly name: string; readonly value: Text }
  | { readonly name: string; readonly field: LateField };

export interface SubPath {
  /** The volume's name in the pod. */
  readonly name: string;
  /** Where the whole volume is mounted. */
  readonly volume: string;
  readonly path: Text;
  readonly mountPath: string;
  readonly readOnly?: true;
}

/** What the agent does beside the program. */
export interface Supervise {
  /** The group's. */
  readonly restartPolicy: RestartPolicy;
  readonly graceSeconds: number;
  readonly stopSignal?: string;
  /** An init container that runs as an ordinary one: its success is final. */
  readonly once?: true;
  readonly after?: readonly { readonly container: string; readonly until: 'started' | 'succeeded' }[];
  readonly endAfter?: readonly string[];
  /** Where the container's own policy is another than the group's. */
  readonly restart?: { readonly policy: RestartPolicy; readonly rules?: readonly RestartRule[] };
  readonly termination?: {
    readonly path: string;
    readonly policy: 'File' | 'FallbackToLogsOnError';
    /** Whether the agent keeps the end of the output, for the message and for `kubectl logs --previous`. */
    readonly keepLog?: true;
  };
  readonly startupProbe?: ProbeOrders;
  readonly livenessProbe?: ProbeOrders;
  readonly readinessProbe?: ProbeOrders;
  readonly postStart?: Handler;
  readonly preStop?: Handler;
}

/** Exactly one member. */
export interface Handler {
  readonly exec?: { readonly command: readonly string[] };
  readonly httpGet?: {
    readonly path: string;
    readonly port: number;
    readonly host?: string;
    readonly scheme: 'HTTP' | 'HTTPS';
    readonly httpHeaders?: readonly { readonly name: string; readonly value: string }[];
  };
  readonly tcpSocket?: { readonly port: number; readonly host?: string };
  readonly grpc?: { readonly port: number; readonly service?: string };
  readonly sleep?: { readonly seconds: number };
}

export interface ProbeOrders extends Handler {
  readonly initialDelaySeconds: number;
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly successThreshold: number;
  readonly failureThreshold: number;
  readonly terminationGracePeriodSeconds?: number;
}

export interface LiveVolume {
  /** The volume's name in the pod. */
  readonly name: string;
  /** Where the agent changes it. */
  readonly path: string;
}

/** Of `install`. */
export interface GroupOrders extends Header {
  readonly kind: 'group';
  readonly containers: readonly StateFolder[];
  readonly volumes?: readonly PreparedVolume[];
  readonly hosts?: readonly HostAlias[];
  readonly hostname?: string;
}

export interface StateFolder {
  readonly name: string;
  /** Of the image's user, where it is a number. */
  readonly uid?: number;
  readonly orders: string;
}

export interface HostAlias {
  readonly ip: string;
  readonly hostnames: readonly string[];
}

export interface PreparedVolume {
  readonly name: string;
  readonly path: string;
  readonly layout?: 'flat' | 'data';
  readonly files?: readonly PreparedFile[];
  readonly uid?: number;
  readonly fsGroup?: number;
  readonly readOnly?: true;
}

export interface PreparedFile {
  /** Its name in ACI's volume. */
  readonly from: string;
  readonly path: string;
  readonly mode: number;
}
