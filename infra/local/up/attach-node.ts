/** Attaches the cloud's node to a real cluster as an operator does: by the command line. */
import * as z from 'zod';
import { clusterCidr } from '../machine/place.ts';
import { runCommand } from './command-line.ts';
import type { CommandPlace } from './command-line.ts';

export interface AttachWanted {
  readonly place: CommandPlace;
  /** The port of a node that is registered already stays as it is. */
  readonly node: { readonly name: string; readonly port: number };
  /** Where the API server reaches the relay. */
  readonly address: string;
  /** Where the relay reaches the app. */
  readonly appUrl: string;
  /** Where pods reach the API server: `HOST:PORT`, or `service`. */
  readonly apiServerForPods: string;
  /** Whether pods reach names and Services of the cluster. */
  readonly reachesServices: boolean;
  /** The chart and a file of values; absent: it is left as it is. */
  readonly chart: { readonly dir: string; readonly values: string } | undefined;
}

const attachedSchema = z.object({
  clusterUid: z.string(),
  audience: z.string(),
  nodes: z.array(z.object({ name: z.string(), port: z.number() })),
});

/** What the cluster and its node are registered with. */
export interface Attached {
  readonly clusterUid: string;
  /** Of the relay's token for the app. */
  readonly audience: string;
  readonly port: number;
}

/** Idempotent, as `attach` is. Rejects with what it said. */
export async function attachNode(wanted: AttachWanted, report: (detail: string) => void): Promise<Attached> {
  const { node, chart } = wanted;
  const where = ['--port', String(node.port), '--node-address', wanted.address, '--app-url', wanted.appUrl];
  const reach = wanted.reachesServices ? ['--services', 'on', '--cluster-cidr', clusterCidr, '--dns', 'auto'] : [];
  const way = ['--api-server-for-pods', wanted.apiServerForPods, '--auth', 'token', ...reach];
  const how = chart === undefined ? ['--keep-chart'] : ['--chart', chart.dir, '--values', chart.values];
  // The relay comes after this, and the node is waited for then.
  const end = ['--wait', 'none', '--output', 'json'];
  const args = ['attach', '--nodes', node.name, ...where, ...way, ...how, ...end];
  const stdout = await runCommand(wanted.place, args, report);
  const { nodes, ...attached } = attachedSchema.parse(JSON.parse(stdout));
  return { ...attached, port: nodes.find(({ name }) => name === node.name)?.port ?? node.port };
}
