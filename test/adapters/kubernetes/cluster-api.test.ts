import { describe, expect, it } from 'vitest';
import { createClusterApi } from '../../../shared/adapters/kubernetes/cluster-api.ts';
import { cannedServer, never, statusBody } from './canned-server.ts';
import type { Canned } from './canned-server.ts';

const metadata = { name: 'aci-1', uid: 'u', resourceVersion: '7' };

describe('the cluster, as the app itself', () => {
  it('is known by the UID of kube-system, and nobody is impersonated', async () => {
    await using server = await cannedServer({
      body: { kind: 'Namespace', metadata: { name: 'kube-system', uid: 'u-1' } },
    });
    expect(await createClusterApi(server.client).getClusterUid(never)).toStrictEqual({ ok: true, value: 'u-1' });
    expect(server.received[0]?.headers).not.toHaveProperty('impersonate-user');
  });

  const review = (status: object): Canned => ({ status: 201, body: { kind: 'TokenReview', spec: {}, status } });
  const user = { username: 'system:serviceaccount:a:relay', groups: ['system:serviceaccounts'] };

  it.each<[string, Canned, object]>([
    ['good for us', review({ authenticated: true, audiences: ['app'], user }), { ok: true, value: user }],
    [
      'good for another audience',
      review({ authenticated: true, audiences: ['other'], user }),
      { ok: true, value: undefined },
    ],
    ['good for the API server only', review({ authenticated: true, user }), { ok: true, value: undefined }],
    ['refused', review({ authenticated: false, error: 'invalid bearer token' }), { ok: true, value: undefined }],
    ['refused without a word', review({}), { ok: true, value: undefined }],
    ['nobody’s', review({ authenticated: true, audiences: ['app'] }), { ok: true, value: undefined }],
    ['answered with garbage', { body: {} }, { ok: false, fault: { kind: 'transient' } }],
    ['answered with half an object', { body: { kind: 'TokenReview' } }, { ok: false, fault: { kind: 'transient' } }],
    [
      'not to be asked about',
      { status: 403, body: statusBody(403, 'Forbidden') },
      { ok: false, fault: { kind: 'denied' } },
    ],
  ])('a token %s', async (_, canned, expected) => {
    await using server = await cannedServer(canned);
    expect(await createClusterApi(server.client).reviewToken('t', 'app', never)).toMatchObject(expected);
  });

  const filled = { token: btoa('t'), 'ca.crt': btoa('pem'), namespace: btoa('default') };
  const secretOf = (data: object): Canned => ({ body: { kind: 'Secret', metadata: { name: 's', uid: 'u-2' }, data } });

  it.each<[string, Canned, object]>([
    ['there', secretOf(filled), { ok: true, value: { secretUid: 'u-2', token: 't', caPem: 'pem' } }],
    ['not filled yet', secretOf({}), { ok: true, value: { missing: 'empty' } }],
    ['half filled', secretOf({ token: btoa('t') }), { ok: true, value: { missing: 'empty' } }],
    ['absent', { status: 404, body: statusBody(404, 'NotFound') }, { ok: false, fault: { kind: 'not-found' } }],
    [
      'not for the app to read',
      { status: 403, body: statusBody(403, 'Forbidden') },
      { ok: false, fault: { kind: 'denied', code: 'Forbidden' } },
    ],
    [
      'not for this token to read',
      { status: 401, body: statusBody(401, 'Unauthorized') },
      { ok: false, fault: { kind: 'denied', code: 'Unauthorized' } },
    ],
    ['not to be had now', { status: 500, body: {} }, { ok: false, fault: { kind: 'transient' } }],
    ['garbage', { body: { kind: 'Secret' } }, { ok: false, fault: { kind: 'transient' } }],
  ])('the credential of the Services is %s', async (_, canned, expected) => {
    await using server = await cannedServer(canned);
    const secret = { namespace: 'sk', name: 'services-a' };
    expect(await createClusterApi(server.client).getServicesCredential(secret, never)).toMatchObject(expected);
    expect(server.received[0]?.url.pathname).toBe('/api/v1/namespaces/sk/secrets/services-a');
    expect(server.received[0]?.headers).not.toHaveProperty('impersonate-user');
  });

  it('token reviews, and only they, are asked for as a node where one is named', async () => {
    await using server = await cannedServer({ body: {} });
    const api = createClusterApi(server.client, { reviewAsNode: 'aci-1' });
    await api.reviewToken('t', 'app', never);
    await api.getClusterUid(never);
    expect(server.received.map(({ headers }) => headers['impersonate-user'])).toStrictEqual([
      'system:node:aci-1',
      undefined,
    ]);
  });

  it('a token that the server quotes reaches no message', async () => {
    await using server = await cannedServer(({ body }) => ({
      status: 400,
      body: statusBody(400, 'BadRequest', `bad: ${body}`),
    }));
    const answer = await createClusterApi(server.client).reviewToken('eyJ.secret.token', 'app', never);
    expect(answer).toMatchObject({ fault: { kind: 'rejected' } });
    expect(JSON.stringify(answer)).not.toContain('eyJ.secret.token');
  });

  it('a node is deleted by its UID; one that is gone, or another of its name, is done with', async () => {
    const uidConflict = statusBody(
      409,
      'Conflict',
      'the UID in the precondition (a) does not match the UID in record (b)',
    );
    for (const canned of [
      { body: { kind: 'Status', status: 'Success' } },
      { status: 404, body: statusBody(404, 'NotFound') },
      { status: 409, body: uidConflict },
    ]) {
      await using server = await cannedServer(canned);
      expect(await createClusterApi(server.client).deleteNode('aci-1', 'u', never)).toStrictEqual({
        ok: true,
        value: undefined,
      });
      expect(JSON.parse(server.received[0]?.body ?? '')).toMatchObject({ preconditions: { uid: 'u' } });
    }
  });

  it('a node is changed as it was read: what is named, and nothing else', async () => {
    const read = { metadata: { ...metadata, labels: {}, annotations: {} } };
    const theirs = { key: 'a', effect: 'NoExecute', timeAdded: '2026-11-23T05:00:00Z' };
    const answer = { kind: 'Node', metadata, spec: { taints: [theirs], unschedulable: true }, status: {} };
    await using server = await cannedServer({ body: answer });
    const api = createClusterApi(server.client);
    const cordon = { annotations: { 'a/b': 'c', 'a/d': null }, unschedulable: true };
    expect(await api.patchNode(read, cordon, never)).toMatchObject({
      ok: true,
      value: { unschedulable: true, taints: [theirs] },
    });
    await api.patchNode(read, { labels: { type: 'x' } }, never);
    await api.patchNode(read, { taints: [theirs] }, never);
    const guard = { uid: 'u', resourceVersion: '7' };
    expect(server.received.map(({ body }) => JSON.parse(body))).toStrictEqual([
      { metadata: { ...guard, annotations: { 'a/b': 'c', 'a/d': null } }, spec: { unschedulable: true } },
      { metadata: { ...guard, labels: { type: 'x' } } },
      { metadata: guard, spec: { taints: [theirs] } },
    ]);
    expect(server.received[0]?.headers).toMatchObject({ 'content-type': 'application/strategic-merge-patch+json' });
    expect(server.received[0]?.headers).not.toHaveProperty('impersonate-user');
  });
});
