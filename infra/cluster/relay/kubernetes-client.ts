import { readFileSync } from 'node:fs';
import { createKubernetesClient } from '../../../shared/adapters/kubernetes/http.ts';
import type { KubernetesClient } from '../../../shared/adapters/kubernetes/http.ts';
import type { RelayConfig } from './config.ts';
import { tokenFile } from './token-file.ts';

export const userAgent = 'serverless-kubelet-relay';
const requestTimeoutMs = 30_000;

/** As the ServiceAccount whose token the configuration names. Throws when the CA can't be read. */
export const kubernetesClient = ({ apiServer }: Pick<RelayConfig, 'apiServer'>): KubernetesClient =>
  createKubernetesClient({
    server: apiServer.url,
    caPem: readFileSync(apiServer.caFile, 'utf8'),
    getToken: tokenFile(apiServer.tokenFile),
    requestTimeoutMs,
    userAgent,
  });
