import * as z from 'zod';
import type { CliContext } from '../context.ts';
import { getObject } from '../cluster/objects.ts';
import { failure } from '../stop.ts';
import type { AttachWants } from './wants.ts';

const serviceSchema = z.object({ spec: z.object({ clusterIP: z.string().optional() }) });
type Wants = Pick<AttachWants, 'nodeAddress' | 'namespace'>;

/** Where the API server reaches the relay: as told, or the address of its Service. */
export async function relayAddress(context: CliContext, wants: Wants): Promise<string> {
  const address = await findRelayAddress(context, wants);
  if (address !== undefined) return address;
  throw failure("the relay's Service has no address", 'give one with --node-address IP');
}

/** As {@link relayAddress}; undefined where there is no Service yet, or none with an address. */
export async function findRelayAddress(context: CliContext, wants: Wants): Promise<string | undefined> {
  if (wants.nodeAddress !== undefined) return wants.nodeAddress;
  const found = serviceSchema.safeParse(
    await getObject(context, `/api/v1/namespaces/${wants.namespace}/services/relay`),
  );
  const address = found.success ? found.data.spec.clusterIP : undefined;
  return address === '' || address === 'None' ? undefined : address;
}
