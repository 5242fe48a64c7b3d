import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../shared/core/json.ts';
import { eventually, faultOf, namespace, never, node, sibling, valueOf, whenAllowed } from './harness.ts';
import type { ClusterUnderTest } from './harness.ts';

const keyRef = (member: string, name: string): JsonObject => ({
  containers: [{ name: 'c', image: 'busybox', env: [{ name: 'S', valueFrom: { [member]: { name, key: 'k' } } }] }],
});

const waysToName: readonly (readonly [string, (name: string) => JsonObject])[] = [
  ['an env variable', (name) => keyRef('secretKeyRef', name)],
  ['envFrom', (name) => ({ containers: [{ name: 'c', image: 'busybox', envFrom: [{ secretRef: { name } }] }] })],
  [
    'an init container',
    (name) => ({ initContainers: [{ name: 'i', image: 'busybox', envFrom: [{ secretRef: { name } }] }] }),
  ],
  ['a volume', (secretName) => ({ volumes: [{ name: 'v', secret: { secretName } }] })],
  ['a projected volume', (name) => ({ volumes: [{ name: 'v', projected: { sources: [{ secret: { name } }] } }] })],
  ['imagePullSecrets', (name) => ({ imagePullSecrets: [{ name }] })],
];

/** Secrets, ConfigMaps, Services, tokens and events: what the Node authorizer lets a node see and do. */
export function describeReferences(open: () => ClusterUnderTest): void {
  const api = () => open().nodeApi(node);
  const hands = () => open().hands;

  describe('secrets and ConfigMaps', () => {
    it.each(waysToName)('a secret that a pod of the node names by %s is read', async (way, spec) => {
      const name = `secret-${way.replaceAll(/[^a-z]+/gi, '-').toLowerCase()}`;
      await hands().putSecret(name, { k: `planted-${name}` });
      expect(faultOf(await api().getSecret({ namespace, name }, never))).toBe('denied');
      await hands().createPod({ name, nodeName: node, spec: spec(name) });
      const secret = await whenAllowed(() => api().getSecret({ namespace, name }, never));
      expect(secret.type).toBe('Opaque');
      expect(Buffer.from(secret.data['k'] ?? []).toString('utf8')).toBe(`planted-${name}`);
    });

    it('another secret, one that only a pod of another node or an unbound one names, is denied, its value unsaid', async () => {
      for (const name of ['theirs', 'sibling', 'unbound-names'])
        await hands().putSecret(name, { k: `planted-${name}` });
      await hands().createPod({ name: 'sibling-s', nodeName: sibling, spec: keyRef('secretKeyRef', 'sibling') });
      await hands().createPod({ name: 'unbound-s', spec: keyRef('secretKeyRef', 'unbound-names') });
      await whenAllowed(() => open().nodeApi(sibling).getSecret({ namespace, name: 'sibling' }, never));
      for (const name of ['theirs', 'sibling', 'unbound-names', 'does-not-exist']) {
        const refused = await api().getSecret({ namespace, name }, never);
        expect(faultOf(refused)).toBe('denied');
        expect(JSON.stringify(refused)).not.toContain('planted');
      }
      await hands().bindPod('unbound-s', node);
      await whenAllowed(() => api().getSecret({ namespace, name: 'unbound-names' }, never));
    });

    it('one that a pod names and that is not there is not-found', async () => {
      await hands().createPod({ name: 'names-absent', nodeName: node, spec: keyRef('secretKeyRef', 'absent-secret') });
      const answer = async (): Promise<string> =>
        faultOf(await api().getSecret({ namespace, name: 'absent-secret' }, never));
      expect(await eventually(answer, (seen) => seen === 'not-found')).toBe('not-found');
    });

    it('is denied again when the pod is gone', async () => {
      await hands().putSecret('for-a-while', { k: 'v' });
      await hands().createPod({ name: 'short-lived', nodeName: node, spec: keyRef('secretKeyRef', 'for-a-while') });
      await whenAllowed(() => api().getSecret({ namespace, name: 'for-a-while' }, never));
      await hands().deletePod('short-lived', { gracePeriodSeconds: 0 });
      const answer = async (): Promise<string> =>
        faultOf(await api().getSecret({ namespace, name: 'for-a-while' }, never));
      expect(await eventually(answer, (seen) => seen === 'denied')).toBe('denied');
    });

    it('a ConfigMap that a pod names is read, another is denied', async () => {
      await hands().putConfigMap('settings', { k: 'v' });
      await hands().putConfigMap('others', { k: 'v' });
      await hands().createPod({ name: 'with-settings', nodeName: node, spec: keyRef('configMapKeyRef', 'settings') });
      expect(await whenAllowed(() => api().getConfigMap({ namespace, name: 'settings' }, never))).toEqual({
        resourceVersion: expect.any(String),
        data: { k: 'v' },
        binaryData: {},
      });
      expect(faultOf(await api().getConfigMap({ namespace, name: 'others' }, never))).toBe('denied');
    });

    it.each(['configMap', 'secret'] as const)(
      'the version of a %s is that of the whole, and is read by whoever may read it',
      async (kind) => {
        const put = (name: string, data: Readonly<Record<string, string>>): Promise<void> =>
          kind === 'secret' ? hands().putSecret(name, data) : hands().putConfigMap(name, data);
        const [own, others] = [`own-${kind.toLowerCase()}`, `other-${kind.toLowerCase()}`];
        await put(own, { k: 'v' });
        await put(others, { k: 'v' });
        const spec = keyRef(kind === 'secret' ? 'secretKeyRef' : 'configMapKeyRef', own);
        await hands().createPod({ name: `with-${own}`, nodeName: node, spec });
        const version = (): Promise<string> =>
          whenAllowed(() => api().getReferenceVersion(kind, { namespace, name: own }, never));
        const ref = { namespace, name: own };
        const first = await version();
        const { resourceVersion } =
          kind === 'secret'
            ? valueOf(await api().getSecret(ref, never))
            : valueOf(await api().getConfigMap(ref, never));
        expect(resourceVersion).toBe(first);
        expect(await version()).toBe(first);
        expect(faultOf(await api().getReferenceVersion(kind, { namespace, name: others }, never))).toBe('denied');
      },
    );

    it('the cluster’s CA is there for every pod that mounts a token', async () => {
      await hands().createPod({ name: 'with-ca', nodeName: node });
      const configMap = await whenAllowed(() => api().getConfigMap({ namespace, name: 'kube-root-ca.crt' }, never));
      expect(configMap.data['ca.crt']).toContain('BEGIN CERTIFICATE');
    });
  });

  it('services are those with a cluster IP, of the namespace asked for; the API server’s own is one in default', async () => {
    await hands().putService('web', 'clusterIP');
    await hands().putService('headless', 'headless');
    const services = valueOf(await api().listServices(namespace, never));
    expect(services.map(({ name }) => name).toSorted()).toEqual(['kubernetes', 'web']);
    expect(services.find(({ name }) => name === 'web')?.ports).toEqual([{ name: 'http', port: 80, protocol: 'TCP' }]);
    expect(valueOf(await api().listServices('kube-node-lease', never))).toEqual([]);
  });

  it('trust bundles are not served unless their feature gates are on, and that is said', async () => {
    const selector = { kind: 'signer', signerName: 'example.com/a', labels: '' } as const;
    expect(await api().listTrustBundles(selector, never)).toMatchObject({ ok: false, fault: { code: 'NotServed' } });
  });

  describe('a ServiceAccount token', () => {
    const wanted = { namespace, serviceAccountName: 'default', audiences: [], expirationSeconds: 3607 };

    it('is given for a pod of the node, and belongs to it and its account', async () => {
      const { metadata } = await hands().createPod({ name: 'token-mine', nodeName: node });
      const token = await whenAllowed(() => api().createToken({ ...wanted, pod: metadata }, never));
      const claims = JSON.parse(Buffer.from(token.value.split('.')[1] ?? '', 'base64url').toString('utf8'));
      expect(claims).toMatchObject({
        sub: 'system:serviceaccount:default:default',
        'kubernetes.io': { namespace, pod: { name: 'token-mine', uid: metadata.uid } },
      });
    });

    it('is known for the audience that a pod names, and no longer when the pod is gone', async () => {
      const sources = [{ serviceAccountToken: { path: 'token', audience: 'vault' } }];
      const spec = { volumes: [{ name: 'v', projected: { sources } }] };
      const pod = await hands().createPod({ name: 'token-vault', nodeName: node, spec });
      const request = { ...wanted, audiences: ['vault'], pod: pod.metadata };
      const token = await whenAllowed(() => api().createToken(request, never));
      const review = async (audience: string) => valueOf(await open().api.reviewToken(token.value, audience, never));
      expect(await review('vault')).toMatchObject({ username: 'system:serviceaccount:default:default' });
      expect(await review('another')).toBeUndefined();
      await hands().deletePod('token-vault', { gracePeriodSeconds: 0 });
      expect(
        await eventually(
          () => review('vault'),
          (identity) => identity === undefined,
        ),
      ).toBeUndefined();
    });

    it('is not given for an audience that no pod of the node names', async () => {
      const { metadata } = await hands().createPod({ name: 'token-audience', nodeName: node });
      await whenAllowed(() => api().createToken({ ...wanted, pod: metadata }, never));
      const request = { ...wanted, audiences: ['elsewhere'], pod: metadata };
      expect(faultOf(await api().createToken(request, never))).toBe('denied');
    });

    it('is not given for a pod of another node, another UID, no pod, or in the name of an account that is not the pod’s', async () => {
      await hands().putServiceAccount('robot');
      const { metadata } = await hands().createPod({ name: 'token-own', nodeName: node });
      const foreign = await hands().createPod({ name: 'token-foreign', nodeName: sibling });
      await whenAllowed(() => api().createToken({ ...wanted, pod: metadata }, never));
      const ask = async (changes: object): Promise<string> =>
        faultOf(await api().createToken({ ...wanted, pod: metadata, ...changes }, never));
      expect(await ask({ pod: foreign.metadata })).toBe('denied');
      expect(await ask({ pod: { name: 'token-own', uid: 'another' } })).toBe('denied');
      expect(await ask({ pod: { name: 'token-nobody', uid: 'x' } })).toBe('not-found');
      expect(await ask({ serviceAccountName: 'robot' })).toBe('denied');
      await hands().createPod({ name: 'token-robot', nodeName: node, spec: { serviceAccountName: 'robot' } });
      const answer = await eventually(
        () => ask({ serviceAccountName: 'robot' }),
        (seen) => seen !== 'denied',
      );
      expect(answer).toBe('rejected BadRequest');
    });

    it('lives for a year where exactly 3607 s are asked for the API server itself, for what is asked otherwise', async () => {
      const sources = [{ serviceAccountToken: { path: 'token', audience: 'vault' } }];
      const spec = { volumes: [{ name: 'v', projected: { sources } }] };
      const { metadata } = await hands().createPod({ name: 'token-lives', nodeName: node, spec });
      const livesFor = async (terms: object): Promise<number> =>
        (await whenAllowed(() => api().createToken({ ...wanted, pod: metadata, ...terms }, never))).lifetimeSeconds;
      expect(await livesFor({})).toBe(31_536_000);
      expect(await livesFor({ expirationSeconds: 86_400 })).toBe(86_400);
      expect(await livesFor({ audiences: ['vault'] })).toBe(3607);
      // What is asked for otherwise counts only where the first is short.
      expect(await livesFor({ elseSeconds: 86_400 })).toBe(31_536_000);
      expect(await livesFor({ audiences: ['vault'], elseSeconds: 86_400 })).toBe(86_400);
      expect(await livesFor({ expirationSeconds: 7200, elseSeconds: 600 })).toBe(7200);
    });

    it('lives for ten minutes at least', async () => {
      const { metadata } = await hands().createPod({ name: 'token-short', nodeName: node });
      await whenAllowed(() => api().createToken({ ...wanted, pod: metadata }, never));
      const request = { ...wanted, expirationSeconds: 599, pod: metadata };
      expect(faultOf(await api().createToken(request, never))).toBe('rejected Invalid');
    });
  });

  describe('events', () => {
    const event = (uid: string, over: object = {}) => ({
      involved: { kind: 'Pod', namespace, name: 'with-events', uid } as const,
      type: 'Warning' as const,
      reason: 'BackOff',
      message: 'Back-off restarting failed container',
      at: '2026-11-23T05:00:00Z',
      dedupeKey: 'k',
      ...over,
    });

    const reasons = async (uid: string): Promise<readonly string[]> =>
      (await hands().events(uid)).map(({ reason }) => reason).toSorted();

    it('of a pod are written once by their key, and again by another', async () => {
      const { uid } = (await hands().createPod({ name: 'with-events', nodeName: node })).metadata;
      valueOf(await api().createEvent(event(uid), never));
      valueOf(await api().createEvent(event(uid), never));
      expect(await reasons(uid)).toEqual(['BackOff']);
      valueOf(await api().createEvent(event(uid, { reason: 'Pulled', dedupeKey: 'l' }), never));
      expect(await reasons(uid)).toEqual(['BackOff', 'Pulled']);
    });

    it('are repeated as one object, with its count, its time and its newest words; gone ones are made anew', async () => {
      const { uid } = (await hands().createPod({ name: 'with-repeated-events', nodeName: node })).metadata;
      const involved = { kind: 'Pod', namespace, name: 'with-repeated-events', uid } as const;
      const first = event(uid, { involved });
      const again = { ...first, at: '2026-11-23T05:20:00Z', message: 'once more', count: 7 };
      expect(faultOf(await api().repeatEvent(first, never))).toBe('not-found');
      valueOf(await api().createEvent(first, never));
      valueOf(await api().repeatEvent(again, never));
      // Twice is once.
      valueOf(await api().repeatEvent(again, never));
      const seen = { reason: 'BackOff', message: 'once more', count: 7, lastTimestamp: again.at };
      expect(await hands().events(uid)).toEqual([seen]);
      // One that was made before is left as it is.
      valueOf(await api().createEvent(first, never));
      expect(await hands().events(uid)).toEqual([seen]);
      await hands().dropEvents(uid);
      expect(faultOf(await api().repeatEvent(again, never))).toBe('not-found');
      valueOf(await api().createEvent(again, never));
      expect(await hands().events(uid)).toEqual([seen]);
    });

    it('of a node are written in default', async () => {
      const { uid } = valueOf(await api().getNode(never)).metadata;
      const involved = { kind: 'Node', namespace: '', name: node, uid } as const;
      const starting = event(uid, { involved, reason: 'Starting' });
      valueOf(await api().createEvent(starting, never));
      valueOf(await api().repeatEvent({ ...starting, count: 2 }, never));
      expect(await reasons(uid)).toContain('Starting');
    });

    it('of a namespace that is not there are not-found', async () => {
      const involved = { kind: 'Pod', namespace: 'not-there', name: 'p', uid: 'u' } as const;
      expect(faultOf(await api().createEvent(event('u', { involved }), never))).toBe('not-found');
    });
  });
}
