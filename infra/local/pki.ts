/**
 * Certificates for the laptop cloud: a small CA and what it signs, all ECDSA P-256, without openssl.
 * Keys are PEM (PKCS #8), certificates PEM; nothing is written to disk here.
 */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { Extension } from '@peculiar/x509';

/** A certificate with its private key. */
export interface KeyPair {
  readonly certPem: string;
  readonly keyPem: string;
}

/** What a certificate is for: to be shown by a server, by a client, or both. */
export type CertificateUsage = 'server' | 'client';

/** What {@link issueCertificate} is asked for. Kubernetes reads `commonName` as the user, `organizations` as its groups. */
export interface CertificateRequest {
  readonly commonName: string;
  readonly organizations?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly usages: readonly CertificateUsage[];
  /** Validity in days, 365 unless given. */
  readonly days?: number;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const millisecondsPerDay = 86_400_000;
/** Certificates start a little in the past, so that a clock that lags behind still accepts them. */
const backdateMs = 5 * 60_000;
const authorityDays = 3650;
const keyUsages: ('sign' | 'verify')[] = ['sign', 'verify'];

/** Makes a self-signed CA, valid for ten years. Every call makes another one. */
export async function createCertificateAuthority(commonName: string): Promise<KeyPair> {
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(),
      name: subject(commonName, []),
      ...validity(authorityDays),
      keys,
      signingAlgorithm: algorithm,
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(
          KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign | KeyUsageFlags.digitalSignature,
          true,
        ),
        await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { certPem: pem(certificate), keyPem: await privateKeyPem(keys.privateKey) };
}

/** Signs a certificate with a fresh key. The CA's own certificate is not part of `certPem`. */
export async function issueCertificate(ca: KeyPair, request: CertificateRequest): Promise<KeyPair> {
  const authority = new X509Certificate(ca.certPem);
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject: subject(request.commonName, request.organizations ?? []),
      issuer: authority.subjectName,
      ...validity(request.days ?? 365),
      publicKey: keys.publicKey,
      signingKey: await importPrivateKey(ca.keyPem),
      signingAlgorithm: algorithm,
      extensions: [
        ...leafExtensions(request),
        await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
        await AuthorityKeyIdentifierExtension.create(authority.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { certPem: pem(certificate), keyPem: await privateKeyPem(keys.privateKey) };
}

/**
 * A key pair with which an API server signs ServiceAccount tokens (`--service-account-signing-key-file`,
 * `--service-account-key-file`): PEM, PKCS #8 and SPKI.
 */
export async function createServiceAccountKeys(): Promise<{ privateKeyPem: string; publicKeyPem: string }> {
  const keys = await generateKeys();
  const publicKey = await webcrypto.subtle.exportKey('spki', keys.publicKey);
  return {
    privateKeyPem: await privateKeyPem(keys.privateKey),
    publicKeyPem: ended(PemConverter.encode(publicKey, PemConverter.PublicKeyTag)),
  };
}

/** What a certificate says of itself: the names and addresses it is valid for, and until when. */
export function describeCertificate(certPem: string): { names: string[]; notAfter: Date } {
  const certificate = new X509Certificate(certPem);
  const names = certificate.getExtension(SubjectAlternativeNameExtension)?.names.items ?? [];
  return { names: names.map((name) => name.value), notAfter: certificate.notAfter };
}

function leafExtensions(request: CertificateRequest): Extension[] {
  const purposes = request.usages.map((usage) =>
    usage === 'server' ? ExtendedKeyUsage.serverAuth : ExtendedKeyUsage.clientAuth,
  );
  const names = [
    ...(request.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(request.ipAddresses ?? []).map((value) => ({ type: 'ip' as const, value })),
  ];
  return [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension(purposes),
    ...(names.length > 0 ? [new SubjectAlternativeNameExtension(names)] : []),
  ];
}

/** Each organization is a name part of its own: Kubernetes takes every one as a group. */
function subject(commonName: string, organizations: readonly string[]): string {
  const parts = [...organizations.map((organization) => ({ O: [organization] })), { CN: [commonName] }];
  return new Name(parts).toString();
}

function validity(days: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - backdateMs), notAfter: new Date(now + days * millisecondsPerDay) };
}

/** Fifteen random bytes under a leading 01: positive, and never shorter than DER wants. */
function serialNumber(): string {
  return `01${Buffer.from(webcrypto.getRandomValues(new Uint8Array(15))).toString('hex')}`;
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, keyUsages);
}

function importPrivateKey(keyPem: string): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('pkcs8', PemConverter.decodeFirst(keyPem), algorithm, false, ['sign']);
}

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  return ended(PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), PemConverter.PrivateKeyTag));
}

function pem(certificate: X509Certificate): string {
  return ended(certificate.toString('pem'));
}

function ended(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
