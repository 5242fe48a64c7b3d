import { startForwarder } from '../cluster/forwarder.ts';
import type { Parts } from './parts.ts';

/** Where containers reach the app, which has to know that before it is started. */
export interface AppDoor {
  /** Undefined: nowhere, as there is no bridge. */
  readonly url: string | undefined;
  /** Where the app is. */
  leadTo(appUrl: string): void;
}

/** A door on the containers' bridge; it is closed with the cloud. */
export async function openAppDoor(gateway: string | undefined, parts: Parts): Promise<AppDoor> {
  if (gateway === undefined) return { url: undefined, leadTo: () => undefined };
  let targetPort: number | undefined;
  const forwarder = await startForwarder({ listenAddress: gateway, port: 0, targetPort: () => targetPort });
  parts.addStop(() => forwarder.close(), undefined);
  return {
    url: `http://${forwarder.address}:${forwarder.port}`,
    leadTo: (appUrl) => {
      targetPort = Number(new URL(appUrl).port);
    },
  };
}
