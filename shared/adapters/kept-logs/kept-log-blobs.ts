import { ok } from '../../core/fault.ts';
import { keptBytes } from '../../core/logs/kept-log.ts';
import type { KeptLogKey, KeptLogs } from '../../ports/kept-logs.ts';
import { formatKeptLogs, parseKeptLogs } from '../../wire/kept-log.ts';
import { createBlobContainer } from './blob-container.ts';
import type { BlobContainerConfig } from './blob-container.ts';

export interface KeptLogBlobsConfig extends Pick<BlobContainerConfig, 'storage' | 'credential'> {
  readonly installation: string;
}

/** Installations that share an account have a folder each in it. */
const container = 'serverless-kubelet-logs';

/** {@link KeptLogs} as one block blob for each pod, in the storage account that holds the tables too. */
export function createKeptLogBlobs({ installation, ...place }: KeptLogBlobsConfig): KeptLogs {
  const blobs = createBlobContainer({ ...place, container, holds: 'the logs that are kept' });
  const pathOf = ({ node, group }: KeptLogKey) => [installation, node.cluster, node.node, group];
  return {
    put: (key, logs, signal) => blobs.put(pathOf(key), formatKeptLogs(logs, keptBytes), signal),
    get: async (key, signal) => {
      const text = await blobs.get(pathOf(key), signal);
      return text.ok ? ok(text.value === undefined ? undefined : parseKeptLogs(text.value)) : text;
    },
    delete: (key, signal) => blobs.delete(pathOf(key), signal),
  };
}
