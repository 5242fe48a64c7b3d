import { z } from 'zod';

/** What the virtual network of the groups does; may be changed while they run. */
export const networkKnobs = z.strictObject({
  /** Whether the extension `kube-proxy` is there while init containers run (unknown: the extension is closed; off is the harder case). */
  kubeProxyInInit: z.boolean(),
  /** For how long a watch of the extension lasts; then it shows its credential again. */
  kubeProxyWatchSeconds: z.number().int().min(1),
  /**
   * Ports that a rule of the subnet's security group drops, TCP and UDP: as a packet leaves a group, where a Service's
   * address has become an endpoint's. Azure's own resolver is not subject to it.
   */
  droppedPorts: z.array(z.number().int().min(1).max(65_535)).readonly(),
  /**
   * Ranges that the virtual network has no way to: what is sent there vanishes. In Azure all private ones that are not its
   * own; here those that Services have by default, so that none of it leaves this machine.
   */
  unroutedRanges: z.array(z.cidrv4()).readonly(),
  /**
   * What Azure's resolver answers: `zone` a few names and no others, `nxdomain` and `servfail` that to everything, as a
   * virtual network with name servers of its own may; `machine` the few names, and all others as this machine does.
   */
  vnetDns: z.enum(['zone', 'nxdomain', 'servfail', 'machine']),
  /**
   * Groups whose extension `realtime-metrics` answers otherwise than it should, by their names, `*` all of them: never,
   * late (5 s), what makes no sense, without the first container; or nothing listens.
   */
  realtimeMetrics: z
    .array(
      z.strictObject({
        group: z.string(),
        answer: z.enum(['silent', 'slow', 'garbage', 'without-first', 'refused']),
      }),
    )
    .readonly(),
  /** How many groups a subnet has addresses for; undefined: as its range says, or no end where that is not known. */
  subnetAddresses: z.number().int().min(0).optional(),
});
export type NetworkKnobs = z.infer<typeof networkKnobs>;

/** Knobs that nobody turned. */
export const defaultNetworkKnobs: NetworkKnobs = {
  kubeProxyInInit: false,
  // A client of Kubernetes of that age asks for 5 to 10 minutes.
  kubeProxyWatchSeconds: 420,
  droppedPorts: [],
  unroutedRanges: ['10.96.0.0/12'],
  vnetDns: 'zone',
  realtimeMetrics: [],
};

/** The knobs among other options. */
export function pickNetworkKnobs(options: NetworkKnobs): NetworkKnobs {
  const { kubeProxyInInit, kubeProxyWatchSeconds, droppedPorts, unroutedRanges, vnetDns, ...rest } = options;
  const { realtimeMetrics, subnetAddresses } = rest;
  const ofExtensions = { kubeProxyInInit, kubeProxyWatchSeconds, realtimeMetrics };
  return { ...ofExtensions, droppedPorts, unroutedRanges, vnetDns, subnetAddresses };
}
