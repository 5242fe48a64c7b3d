/** The control plane's certificates and keys, made once per state folder and fixed when they no longer fit. */
import { join } from 'node:path';
import { createCertificateAuthority, createServiceAccountKeys, describeCertificate, issueCertificate } from '../pki.ts';
import type { CertificateRequest, KeyPair } from '../pki.ts';
import { readStateFile, writeStateFile } from './state-files.ts';

/** Paths of a certificate and its key. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** All that the components are started with. */
export interface Credentials {
  /** Signs and verifies the cluster's clients, the API server, and kubelets. */
  readonly ca: KeyPair;
  readonly caFiles: CertificateFiles;
  /** etcd believes only this CA, so that no client of the cluster can reach past the API server. */
  readonly etcdCaFile: string;
  readonly etcdServer: CertificateFiles;
  readonly etcdClient: CertificateFiles;
  readonly apiServer: CertificateFiles;
  /** Shown by the API server to kubelets. */
  readonly kubeletClient: CertificateFiles;
  /** Shown by the API server to aggregated API servers, which believe the users it names. */
  readonly frontProxyCaFile: string;
  readonly frontProxyClient: CertificateFiles;
  readonly serviceAccountKeys: { readonly privateKey: string; readonly publicKey: string };
  readonly admin: KeyPair;
  readonly controllerManager: KeyPair;
  readonly scheduler: KeyPair;
}

/** As whom the API server calls kubelets: what a kubelet's SubjectAccessReview asks about. */
export const kubeletClientUser = 'kube-apiserver-kubelet-client';

const serverUsage = ['server'] as const;
const clientUsage = ['client'] as const;
/** Whoever runs for longer than this should see no certificate expire. */
const renewBeforeMs = 30 * 86_400_000;

/**
 * Reads the credentials under `dir`, making what is missing. A certificate is issued anew when its names differ from
 * what is asked (the serving certificate's `apiServerNames`) or its end is near; CAs and token keys stay for good.
 */
export async function ensureCredentials(
  dir: string,
  apiServerNames: { dnsNames: readonly string[]; ipAddresses: readonly string[] },
): Promise<Credentials> {
  const store = new CredentialStore(dir);
  const [ca, etcdCa, frontProxyCa] = await Promise.all([
    store.authority('ca'),
    store.authority('etcd-ca'),
    store.authority('front-proxy-ca'),
  ]);
  const loopback = { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] };
  const client = (commonName: string, ...organizations: string[]): CertificateRequest => ({
    commonName,
    organizations,
    usages: clientUsage,
  });
  const [admin, controllerManager, scheduler] = await Promise.all([
    store.certificate('admin', ca, client('kubernetes-admin', 'system:masters')),
    store.certificate('kube-controller-manager', ca, client('system:kube-controller-manager')),
    store.certificate('kube-scheduler', ca, client('system:kube-scheduler')),
    store.certificate('etcd', etcdCa, { commonName: 'etcd', usages: ['server', 'client'], ...loopback }),
    store.certificate('etcd-client', etcdCa, client('kube-apiserver')),
    store.certificate('kube-apiserver', ca, { commonName: 'kube-apiserver', usages: serverUsage, ...apiServerNames }),
    store.certificate('kubelet-client', ca, client(kubeletClientUser)),
    store.certificate('front-proxy-client', frontProxyCa, client('front-proxy-client')),
    store.tokenKeys(),
  ]);
  return {
    ca,
    caFiles: store.files('ca'),
    etcdCaFile: store.files('etcd-ca').cert,
    etcdServer: store.files('etcd'),
    etcdClient: store.files('etcd-client'),
    apiServer: store.files('kube-apiserver'),
    kubeletClient: store.files('kubelet-client'),
    frontProxyCaFile: store.files('front-proxy-ca').cert,
    frontProxyClient: store.files('front-proxy-client'),
    serviceAccountKeys: store.tokenKeyFiles,
    admin,
    controllerManager,
    scheduler,
  };
}

/** Whether a certificate is still what `request` asks for. */
export function isCurrent(certPem: string, request: CertificateRequest, now: Date): boolean {
  const { names, notAfter } = describeCertificate(certPem);
  const wanted = [...(request.dnsNames ?? []), ...(request.ipAddresses ?? [])];
  const same = names.length === wanted.length && wanted.every((name) => names.includes(name));
  return same && notAfter.getTime() - now.getTime() > renewBeforeMs;
}

class CredentialStore {
  readonly #dir: string;
  readonly tokenKeyFiles: { privateKey: string; publicKey: string };

  constructor(dir: string) {
    this.#dir = dir;
    this.tokenKeyFiles = { privateKey: join(dir, 'service-account.key'), publicKey: join(dir, 'service-account.pub') };
  }

  files(name: string): CertificateFiles {
    return { cert: join(this.#dir, `${name}.crt`), key: join(this.#dir, `${name}.key`) };
  }

  async authority(name: string): Promise<KeyPair> {
    return this.#read(name) ?? this.#write(name, await createCertificateAuthority(`serverless-kubelet local ${name}`));
  }

  async certificate(name: string, ca: KeyPair, request: CertificateRequest): Promise<KeyPair> {
    const stored = this.#read(name);
    if (stored !== undefined && isCurrent(stored.certPem, request, new Date())) return stored;
    return this.#write(name, await issueCertificate(ca, request));
  }

  async tokenKeys(): Promise<void> {
    const { privateKey, publicKey } = this.tokenKeyFiles;
    if (readStateFile(publicKey) !== undefined) return;
    const keys = await createServiceAccountKeys();
    writeStateFile(privateKey, keys.privateKeyPem);
    writeStateFile(publicKey, keys.publicKeyPem);
  }

  #read(name: string): KeyPair | undefined {
    const files = this.files(name);
    const [certPem = '', keyPem = ''] = [readStateFile(files.cert), readStateFile(files.key)];
    return certPem === '' || keyPem === '' ? undefined : { certPem, keyPem };
  }

  /** The certificate first becomes empty and is written last: a crash in between never leaves a pair that does not fit. */
  #write(name: string, pair: KeyPair): KeyPair {
    const files = this.files(name);
    writeStateFile(files.cert, '');
    writeStateFile(files.key, pair.keyPem);
    writeStateFile(files.cert, pair.certPem);
    return pair;
  }
}
