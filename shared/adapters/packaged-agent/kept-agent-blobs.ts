import { ok } from '../../core/fault.ts';
import type { KeptAgents } from '../../ports/packaged-agent.ts';
import { createBlobContainer } from '../kept-logs/blob-container.ts';
import type { BlobContainerConfig } from '../kept-logs/blob-container.ts';
import { checkedProgram } from './program.ts';

export interface KeptAgentBlobsConfig extends Pick<BlobContainerConfig, 'storage' | 'credential'> {
  readonly installation: string;
}

/** Installations that share an account have a folder each in it. */
const container = 'serverless-kubelet-agents';
/** More than any agent that is packed (infra/package), and what a process can bear. */
const maxBytes = 16_000_000;

/** {@link KeptAgents} as one blob for each, in the storage account that holds the tables too; base64, as its client sends text. */
export function createKeptAgentBlobs({ installation, ...place }: KeptAgentBlobsConfig): KeptAgents {
  const blobs = createBlobContainer({ ...place, container, holds: 'agents of former releases' });
  return {
    put: async ({ sha256, gzip }, signal) => {
      const there = await blobs.has([installation, sha256], signal);
      if (!there.ok || there.value) return there.ok ? ok(undefined) : there;
      return blobs.put([installation, sha256], Buffer.from(gzip).toString('base64'), signal);
    },
    get: async (sha256, signal) => {
      const text = await blobs.get([installation, sha256], signal);
      if (!text.ok || text.value === undefined) return text.ok ? ok(undefined) : text;
      return ok(await checkedProgram(sha256, Buffer.from(text.value, 'base64'), maxBytes));
    },
  };
}
