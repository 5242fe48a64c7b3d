/** What a kubelet does beside a container, as the API reference has it (core/v1). */

/** The first rule that fits an exit code decides (KEP-5307). */
export interface RestartRule {
  readonly action: string;
  readonly exitCodes: { readonly operator: string; readonly values: readonly number[] };
}

export interface Lifecycle {
  readonly postStart?: Hook;
  readonly preStop?: Hook;
  readonly stopSignal?: string;
}

export type Hook =
  | Extract<ProbeHandler, { readonly kind: 'exec' | 'httpGet' }>
  | { readonly kind: 'sleep'; readonly seconds: number }
  /** None that a kubelet runs. */
  | { readonly kind: 'other' };

/** With the API server's defaults. */
export interface Probe {
  readonly handler: ProbeHandler;
  readonly initialDelaySeconds: number;
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly successThreshold: number;
  readonly failureThreshold: number;
  /** In place of the pod's, where the probe ends the container. */
  readonly terminationGracePeriodSeconds?: number;
}

export type ProbeHandler =
  | { readonly kind: 'exec'; readonly command: readonly string[] }
  | {
      readonly kind: 'httpGet';
      readonly path: string;
      /** A number, or the name of one of the container's ports. */
      readonly port: number | string;
      readonly scheme: 'HTTP' | 'HTTPS';
      readonly headers: readonly { readonly name: string; readonly value: string }[];
      /** Absent: the pod's own address. */
      readonly host?: string;
    }
  | { readonly kind: 'tcpSocket'; readonly port: number | string; readonly host?: string }
  | { readonly kind: 'grpc'; readonly port: number; readonly service: string }
  /** None that this version knows. */
  | { readonly kind: 'other' };
