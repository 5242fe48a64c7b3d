/** Kubeconfigs of the control plane's own parts. */
import * as z from 'zod';
import type { KeyPair } from '../pki.ts';

/** Where an API server is and how to know it. */
export interface ClusterEndpoint {
  readonly url: string;
  readonly caPem: string;
}

/** A kubeconfig of one user who shows a client certificate. JSON, which is YAML too. */
export function clientCertificateKubeconfig(cluster: ClusterEndpoint, user: string, pair: KeyPair): string {
  return kubeconfig(cluster, user, {
    'client-certificate-data': base64(pair.certPem),
    'client-key-data': base64(pair.keyPem),
  });
}

/** A kubeconfig of one user who shows a bearer token. */
export function tokenKubeconfig(cluster: ClusterEndpoint, user: string, token: string): string {
  return kubeconfig(cluster, user, { token });
}

const text = z.base64().transform((encoded) => Buffer.from(encoded, 'base64').toString('utf8'));
const ownSchema = z.object({
  clusters: z.tuple([z.object({ cluster: z.object({ server: z.url(), 'certificate-authority-data': text }) })]),
  users: z.tuple([
    z.object({
      user: z.union([
        z.object({ token: z.string() }),
        z.object({ 'client-certificate-data': text, 'client-key-data': text }),
      ]),
    }),
  ]),
});

/** Whom a kubeconfig that was written here speaks to, and as whom. */
export interface KubeconfigIdentity {
  readonly endpoint: ClusterEndpoint;
  readonly credential: { readonly token: string } | { readonly certificate: KeyPair };
}

/** Reads a kubeconfig that was written here: JSON, one cluster, one user. Throws on any other. */
export function parseOwnKubeconfig(json: string): KubeconfigIdentity {
  const { clusters, users } = ownSchema.parse(JSON.parse(json));
  const [{ cluster }] = clusters;
  const [{ user }] = users;
  const endpoint = { url: cluster.server, caPem: cluster['certificate-authority-data'] };
  if ('token' in user) return { endpoint, credential: { token: user.token } };
  const certificate = { certPem: user['client-certificate-data'], keyPem: user['client-key-data'] };
  return { endpoint, credential: { certificate } };
}

function kubeconfig(cluster: ClusterEndpoint, user: string, credential: Record<string, string>): string {
  const name = 'local';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: cluster.url, 'certificate-authority-data': base64(cluster.caPem) } }],
    users: [{ name: user, user: credential }],
    contexts: [{ name, context: { cluster: name, user } }],
    'current-context': name,
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
