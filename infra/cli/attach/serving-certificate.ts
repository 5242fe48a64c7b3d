import { X509Certificate } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import 'reflect-metadata';
import { Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension } from '@peculiar/x509';
import * as z from 'zod';
import type { CliContext } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import { applyObject, createObject, deleteObject, getObject } from '../cluster/objects.ts';
import { Stop, failure } from '../stop.ts';
import {
  certificateRequestName,
  certificateRequestPath,
  certificateRequestsPath,
  servingSecretName,
  servingSecretPath,
} from '../cluster/names.ts';

export interface ServingWants {
  readonly namespace: string;
  /** In whose name the certificate is asked for; the relay shows it for all nodes, which share its address. */
  readonly node: string;
  readonly address: string;
  readonly timeoutMs: number;
}

const renewBeforeMs = 30 * 86_400_000;
const secretSchema = z.object({ data: z.object({ 'tls.crt': z.base64() }) });

/** Whether the Secret is there, and its certificate is for this address and good for a month. */
export async function isServingCertificateGood(context: CliContext, wants: ServingWants): Promise<boolean> {
  const found = secretSchema.safeParse(await getObject(context, servingSecretPath(wants.namespace)));
  if (!found.success) return false;
  return isGoodFor(Buffer.from(found.data.data['tls.crt'], 'base64').toString('utf8'), wants.address, Date.now());
}

/** Pure part of it. */
export function isGoodFor(pem: string, address: string, nowMs: number): boolean {
  try {
    const certificate = new X509Certificate(pem);
    return Date.parse(certificate.validTo) - nowMs > renewBeforeMs && certificate.checkIP(address) !== undefined;
  } catch {
    return false;
  }
}

/**
 * Has the cluster sign a certificate for the kubelet ports (signer `kubernetes.io/kubelet-serving`): asks for it as the
 * node, says how an administrator approves it, waits for that, and keeps key and certificate in a Secret. The key is
 * nowhere else. A request that was left unanswered by an earlier run is made anew: its key is gone.
 */
export async function obtainServingCertificate(
  context: CliContext,
  wants: ServingWants,
  report: (detail: string) => void,
): Promise<void> {
  const { csrPem, keyPem } = await makeRequest(wants);
  const name = certificateRequestName(wants.namespace, wants.node);
  await deleteObject(context, certificateRequestPath(name));
  await createObject(
    context,
    certificateRequestsPath,
    {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name },
      spec: {
        request: Buffer.from(csrPem).toString('base64'),
        signerName: 'kubernetes.io/kubelet-serving',
        usages: ['digital signature', 'server auth'],
      },
    },
    { as: { user: `system:node:${wants.node}`, groups: ['system:nodes'] } },
  );
  report(`approve it: kubectl certificate approve ${name}`);
  context.out.note(`  an administrator approves the certificate: kubectl certificate approve ${name}`);
  const certificate = await waitForCertificate(context, name, wants.timeoutMs);
  await applyObject(context, servingSecretPath(wants.namespace), {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: servingSecretName, namespace: wants.namespace },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': certificate, 'tls.key': Buffer.from(keyPem).toString('base64') },
  });
}

async function makeRequest({ node, address }: ServingWants): Promise<{ csrPem: string; keyPem: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: [{ O: ['system:nodes'] }, { CN: [`system:node:${node}`] }],
    keys,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [new SubjectAlternativeNameExtension([{ type: 'ip', value: address }])],
  });
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const lines = key.match(/.{1,64}/g) ?? [];
  return {
    csrPem: `${request.toString('pem')}\n`,
    keyPem: `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`,
  };
}

const csrSchema = z.object({
  status: z
    .object({
      certificate: z.string().optional(),
      conditions: z.array(z.object({ type: z.string(), message: z.string().default('') })).default([]),
    })
    .default({ conditions: [] }),
});
const pollMs = 2000;

/** The certificate as the API server has it: PEM in base64. */
async function waitForCertificate(context: CliContext, name: string, timeoutMs: number): Promise<string> {
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    const { status } = csrSchema.parse(await getObject(context, certificateRequestPath(name)));
    if (status.certificate !== undefined) return status.certificate;
    const refused = status.conditions.find(({ type }) => type === 'Denied' || type === 'Failed');
    if (refused !== undefined)
      throw failure(`the certificate request ${name} was refused: ${refused.message}`, 'or use --serving self-signed');
    if (performance.now() > giveUpAt)
      throw new Stop(
        exitCodes.timedOut,
        `the certificate request ${name} was not approved in time`,
        `kubectl certificate approve ${name} while the same command runs again`,
      );
    await sleep(pollMs, undefined, { signal: context.signal });
  }
}
