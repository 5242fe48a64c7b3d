import { X509Certificate, createPrivateKey, createPublicKey } from 'node:crypto';
import { connect, createServer } from 'node:tls';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  createCertificateAuthority,
  createServiceAccountKeys,
  describeCertificate,
  issueCertificate,
} from '../../../infra/local/pki.ts';

describe('certificates', () => {
  it('are signed by the authority that issued them, and by no other', async () => {
    const [ca, other] = await Promise.all([createCertificateAuthority('one'), createCertificateAuthority('one')]);
    const leaf = new X509Certificate((await issueCertificate(ca, { commonName: 'x', usages: ['client'] })).certPem);
    expect(leaf.verify(new X509Certificate(ca.certPem).publicKey)).toBe(true);
    expect(leaf.verify(new X509Certificate(other.certPem).publicKey)).toBe(false);
    expect(leaf.checkIssued(new X509Certificate(ca.certPem))).toBe(true);
    expect(leaf.ca).toBe(false);
    expect(new X509Certificate(ca.certPem).ca).toBe(true);
  });

  it('name the user as CN and every group as an O of its own', async () => {
    const ca = await createCertificateAuthority('ca');
    const pair = await issueCertificate(ca, {
      commonName: 'system:node:aci-1',
      organizations: ['system:nodes', 'a, b+c'],
      usages: ['client'],
    });
    const leaf = new X509Certificate(pair.certPem);
    expect(leaf.toLegacyObject().subject).toMatchObject({ CN: 'system:node:aci-1', O: ['system:nodes', 'a, b+c'] });
    expect(leaf.checkPrivateKey(createPrivateKey(pair.keyPem))).toBe(true);
  });

  it('last as long as asked, and began a little ago', async () => {
    const ca = await createCertificateAuthority('ca');
    const leaf = new X509Certificate(
      (await issueCertificate(ca, { commonName: 'x', usages: ['client'], days: 2 })).certPem,
    );
    const days = (Date.parse(leaf.validTo) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(1.9);
    expect(days).toBeLessThan(2.1);
    expect(Date.parse(leaf.validFrom)).toBeLessThan(Date.now() - 60_000);
  });

  it('are distinguished by their names', async () => {
    const ca = await createCertificateAuthority('ca');
    const pair = await issueCertificate(ca, {
      commonName: 'api',
      dnsNames: ['localhost', 'kubernetes.default.svc'],
      ipAddresses: ['127.0.0.1', '::1'],
      usages: ['server'],
    });
    const names = describeCertificate(pair.certPem).names;
    expect(names.slice(0, 3)).toEqual(['localhost', 'kubernetes.default.svc', '127.0.0.1']);
    expect(names).toHaveLength(4);
  });

  it('carry a TLS connection that both sides verify', async () => {
    const ca = await createCertificateAuthority('ca');
    const server = await issueCertificate(ca, { commonName: 's', ipAddresses: ['127.0.0.1'], usages: ['server'] });
    const client = await issueCertificate(ca, { commonName: 'c', organizations: ['g'], usages: ['client'] });
    const listener = createServer(
      { cert: server.certPem, key: server.keyPem, ca: ca.certPem, requestCert: true, rejectUnauthorized: true },
      (socket) => socket.end(String(socket.getPeerCertificate().subject.CN)),
    );
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const address = listener.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const socket = connect({ host: '127.0.0.1', port, ca: ca.certPem, cert: client.certPem, key: client.keyPem });
    const [data] = await once(socket, 'data');
    socket.destroy();
    listener.close();
    expect(String(data)).toBe('c');
  });

  it('come with a key pair for ServiceAccount tokens whose halves belong together', async () => {
    const keys = await createServiceAccountKeys();
    const derived = createPublicKey(createPrivateKey(keys.privateKeyPem)).export({ type: 'spki', format: 'der' });
    expect(createPublicKey(keys.publicKeyPem).export({ type: 'spki', format: 'der' })).toEqual(derived);
  });
});
