import type { CliContext } from '../context.ts';
import { getObject } from '../cluster/objects.ts';
import { parseService } from '../inspect/relay-objects.ts';
import { failure } from '../stop.ts';
import type { AttachWants } from './wants.ts';

type Wants = Pick<AttachWants, 'nodeAddress' | 'namespace'>;

/** Where the API server reaches the relay: as reported, or the address of its Service. */
export async function relayAddress(context: CliContext, wants: Wants): Promise<string> {
  const address = await findRelayAddress(context, wants);
  if (address !== undefined) return address;
  throw failure("the relay's Service has no address", 'give one with --node-address IP');
}

/** As {@link relayAddress}; undefined where there is no Service yet, or none with an address. */
export async function findRelayAddress(context: CliContext, wants: Wants): Promise<string | undefined> {
  if (wants.nodeAddress !== undefined) return wants.nodeAddress;
  const service = parseService(await getObject(context, `/api/v1/namespaces/${wants.namespace}/services/relay`));
  return service?.addresses[0];
}
