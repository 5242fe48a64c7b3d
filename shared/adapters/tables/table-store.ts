import { createHash } from 'node:crypto';
import type { TokenCredential } from '@azure/core-auth';
import type { TableClient, TableServiceClientOptions } from '@azure/data-tables';
import type { Log } from '../../ports/log.ts';
import type { StateStore } from '../../ports/state-store.ts';
import { createAzureTable } from './azure-table.ts';
import { burstPatience } from './lanes.ts';
import { createServiceClock } from './service-clock.ts';
import type { ServiceClock } from './service-clock.ts';
import type { RowTable } from './row-table.ts';
import { createStateStore } from './state-store.ts';
import type { MayBegin } from './state-store.ts';

/** A storage account, by its key or as the app's own identity (role Storage Table Data Contributor). */
export type TableStoreConfig =
  | { readonly connectionString: string }
  | { readonly tableEndpoint: string; readonly credential: TokenCredential };

export interface TableStoreOptions {
  /** The function app's name for itself: each installation has a table of its own. */
  readonly installation: string;
  readonly log: Log;
  /** Which partitions may begin; all unless given. */
  readonly mayBegin?: MayBegin;
  /** Bounds each request, 5,000 unless given. */
  readonly timeoutMs?: number;
  /** A clock in ms that never goes back; `performance.now` unless given. */
  readonly monotonicMs?: () => number;
}

const defaultTimeoutMs = 5000;
const maxClockAgeMs = 60_000;

/**
 * The state store in Table storage. The SDK is loaded on the first call; nothing is retried inside. A table that is
 * missing reads as empty and is made by the first write.
 */
export function createTableStore(config: TableStoreConfig, options: TableStoreOptions): StateStore {
  return createStateStore(openInstallationTable(config, options), options.log, {
    mayBegin: options.mayBegin,
    patience: burstPatience(options.monotonicMs ?? (() => performance.now())),
  });
}

/** The installation's table itself, for those who write what the state store does not. As {@link createTableStore} opens it. */
export function openInstallationTable(
  config: TableStoreConfig,
  options: Pick<TableStoreOptions, 'installation' | 'timeoutMs' | 'monotonicMs'>,
): RowTable {
  const clock = createServiceClock(options.monotonicMs ?? (() => performance.now()), maxClockAgeMs);
  let client: Promise<TableClient> | undefined;
  return createAzureTable({
    client: () => (client ??= createTableClient(config, tableName(options.installation), clock)),
    clock,
    timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
  });
}

const maxReadableLength = 30;

/** Table names are 3 to 63 letters and digits, and are compared without case: a hash keeps installations apart. */
export function tableName(installation: string): string {
  const readable = installation.replaceAll(/[^A-Za-z0-9]/g, '').slice(0, maxReadableLength);
  return `kubelet${readable}${createHash('sha256').update(installation).digest('hex').slice(0, 8)}`;
}

async function createTableClient(config: TableStoreConfig, name: string, clock: ServiceClock): Promise<TableClient> {
  const { TableClient } = await import('@azure/data-tables');
  const options: TableServiceClientOptions = { retryOptions: { maxRetries: 0 }, redirectOptions: { maxRetries: 0 } };
  const client =
    'connectionString' in config
      ? TableClient.fromConnectionString(config.connectionString, name, {
          ...options,
          allowInsecureConnection: isInsecure(config.connectionString),
        })
      : new TableClient(config.tableEndpoint, name, config.credential, options);
  // Next to the wire, where an answer that the SDK will throw as an error is still an answer.
  client.pipeline.addPolicy(
    {
      name: 'serviceClockPolicy',
      sendRequest: async (request, next) => {
        const response = await next(request);
        clock.observe(response.headers.get('date'));
        return response;
      },
    },
    { afterPhase: 'Retry' },
  );
  return client;
}

/** Plain http is for Azurite on this machine; a connection string says so itself. */
export const isInsecure = (connectionString: string): boolean =>
  /(^|;)\s*(DefaultEndpointsProtocol=http|TableEndpoint=http:\/\/[^;]*|UseDevelopmentStorage=true)\s*(;|$)/i.test(
    connectionString,
  );
