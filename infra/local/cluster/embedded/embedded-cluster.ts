/** A cluster without Kubernetes: an HTTPS door to the in-memory cluster, for machines that have nothing but Node. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { bootstrapAccess } from '../../sim/api-server/bootstrap.ts';
import { mastersGroup, userOf } from '../../sim/api-server/user.ts';
import { apiAudience } from '../../sim/api-server/tokens.ts';
import type { KnownTokens } from '../../sim/api-server/reviews.ts';
import { createMemoryCluster } from '../../sim/memory-cluster.ts';
import type { MemoryCluster } from '../../sim/memory-cluster.ts';
import { createCertificateAuthority, issueCertificate } from '../../pki.ts';
import type { CertificateRequest, KeyPair } from '../../pki.ts';
import { kubeletClientUser } from '../credentials.ts';
import { tokenKubeconfig } from '../kubeconfig.ts';
import { writeStateFile } from '../state-files.ts';
import { listen } from './api-listener.ts';
import { ControllerLoop } from './controller-loop.ts';
import { RequestJournal } from './request-journal.ts';
import { defined } from '../../../../shared/core/defined.ts';

export interface EmbeddedClusterOptions {
  /** Where `kubeconfig` and `ca.crt` are written. */
  readonly dir: string;
  /** On 127.0.0.1; any free one unless given. */
  readonly port?: number;
  /** The API server's time in ms; the machine's unless given. */
  readonly now?: () => number;
  /** UID of the kube-system namespace; a new one unless given. */
  readonly uid?: string;
  /** Addresses besides 127.0.0.1 that the server's certificate is to name, as of a forwarder. */
  readonly extraSans?: readonly string[];
  /** How often the controllers look, besides after each write; 1 s unless given, 0: only when `cluster.tick` is called. */
  readonly tickMs?: number;
  /** How often a watch gets a bookmark; a minute unless given. */
  readonly bookmarkMs?: number;
  /** How many writes a watch may be behind before it is reported `Expired`; 4096 unless given. */
  readonly historySize?: number;
}

/** A running embedded cluster. */
export interface EmbeddedCluster {
  /** `https://127.0.0.1:port`. */
  readonly url: string;
  readonly port: number;
  readonly caPem: string;
  /** The administrator's, by a bearer token. */
  readonly kubeconfigPath: string;
  readonly adminToken: string;
  /** The administrator's client certificate (group system:masters). */
  readonly admin: KeyPair;
  /** The Kubernetes version whose behaviour it follows. */
  readonly version: string;
  /** The same cluster in memory, with the hands of a test. */
  readonly cluster: MemoryCluster;
  /** Every request as it was answered. */
  readonly journal: RequestJournal;
  /** A certificate of the cluster's CA: a kubelet's serving certificate, a client. */
  issueCertificate(request: CertificateRequest): Promise<KeyPair>;
  /** Ends watches, connections and timers. Safe to repeat. */
  stop(): Promise<void>;
}

const embeddedVersion = 'v1.36.3';
const defaultTickMs = 1000;
const defaultBookmarkMs = 60_000;

/**
 * Starts one and resolves when it answers. Nothing outlives it: every start is a new cluster with another UID, other
 * keys and no objects.
 */
export async function startEmbeddedCluster(options: EmbeddedClusterOptions): Promise<EmbeddedCluster> {
  const now = options.now ?? Date.now;
  const keys = await createKeys(options.extraSans ?? []);
  const cluster = createMemoryCluster({
    now,
    caPem: keys.ca.certPem,
    ...defined({ uid: options.uid, historySize: options.historySize }),
  });
  const adminToken = randomBytes(24).toString('base64url');
  const journal = new RequestJournal();
  const loop = new ControllerLoop(cluster, options.tickMs ?? defaultTickMs);
  loop.start(bootstrapAccess);
  const listener = await listen({
    port: options.port ?? 0,
    caPem: keys.ca.certPem,
    certificate: keys.server,
    journal,
    known: knownTokens(cluster, adminToken),
    version: embeddedVersion,
    serving: {
      state: () => loop.state(),
      stop: () => loop.signal(),
      bookmarkMs: options.bookmarkMs ?? defaultBookmarkMs,
      kubelet: { certificate: keys.kubeletClient },
    },
  });
  const url = `https://127.0.0.1:${listener.port}`;
  const kubeconfigPath = join(options.dir, 'kubeconfig');
  writeStateFile(kubeconfigPath, tokenKubeconfig({ url, caPem: keys.ca.certPem }, 'admin', adminToken));
  writeStateFile(join(options.dir, 'ca.crt'), keys.ca.certPem);
  let stopped: Promise<void> | undefined;
  return {
    url,
    port: listener.port,
    caPem: keys.ca.certPem,
    kubeconfigPath,
    adminToken,
    admin: keys.admin,
    version: embeddedVersion,
    cluster,
    journal,
    issueCertificate: (request) => issueCertificate(keys.ca, request),
    stop: () => {
      loop.stop();
      stopped ??= listener.close();
      return stopped;
    },
  };
}

async function createKeys(extraSans: readonly string[]) {
  const ca = await createCertificateAuthority('serverless-kubelet embedded cluster');
  const [server, admin, kubeletClient] = await Promise.all([
    issueCertificate(ca, {
      commonName: 'kube-apiserver',
      dnsNames: ['localhost', 'kubernetes.default.svc'],
      ipAddresses: ['127.0.0.1', ...extraSans],
      usages: ['server'],
    }),
    issueCertificate(ca, { commonName: 'kubernetes-admin', organizations: [mastersGroup], usages: ['client'] }),
    issueCertificate(ca, { commonName: kubeletClientUser, usages: ['client'] }),
  ]);
  return { ca, server, admin, kubeletClient };
}

/** The administrator's, and what was planted by hand. ServiceAccounts' tokens are read by the cluster itself. */
const knownTokens =
  (cluster: MemoryCluster, adminToken: string): KnownTokens =>
  (token, audiences) => {
    if (token === adminToken)
      return audiences.includes(apiAudience)
        ? { user: userOf('kubernetes-admin', [mastersGroup]), audiences: [apiAudience] }
        : undefined;
    const planted = cluster.plantedToken(token);
    const shared = planted?.audiences.filter((one) => audiences.includes(one)) ?? [];
    return planted === undefined || shared.length === 0
      ? undefined
      : { user: { name: planted.username, uid: '', groups: planted.groups, extra: {} }, audiences: shared };
  };
