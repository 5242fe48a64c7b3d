import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { wakeApp } from '../../../infra/cli/attach/wake-app.ts';
import type { ClusterApi } from '../../../infra/cli/cluster/api.ts';
import { FakeApp } from '../../relay/fake-app.ts';

let app: FakeApp;
beforeEach(async () => {
  app = await FakeApp.start();
});
afterEach(() => app.close());

/** As an API server answers it. */
const token = {
  kind: 'TokenRequest',
  metadata: { creationTimestamp: '2026-11-23T12:00:00Z' },
  status: { token: 'the-token', expirationTimestamp: '2026-11-23T12:10:00Z' },
};

type Sent = Parameters<ClusterApi['send']>[0];

/** An API server that gives the relay's token, unless it may not. */
function contextOf({ isAllowed = true } = {}) {
  const sent: Sent[] = [];
  const unused = () => Promise.reject(new Error('not asked for'));
  const api: ClusterApi = {
    contexts: unused,
    place: unused,
    send: async (request) => {
      sent.push(request);
      return isAllowed
        ? { kind: 'answered', status: 201, text: JSON.stringify(token) }
        : { kind: 'forbidden', message: 'no' };
    },
  };
  return { context: { api, signal: new AbortController().signal }, sent };
}

const wake = (url = app.url) => ({
  appUrl: url,
  clusterUid: 'cluster-1',
  namespace: 'serverless-kubelet',
  audience: 'https://app',
});

describe('the call that wakes the app', () => {
  it('is that of the relay, with a token of its own for ten minutes', async () => {
    const { context, sent } = contextOf();
    expect(await wakeApp(context, wake())).toBe(true);
    expect(sent).toMatchObject([
      {
        method: 'POST',
        path: '/api/v1/namespaces/serverless-kubelet/serviceaccounts/relay/token',
        body: { spec: { audiences: ['https://app'], expirationSeconds: 600 } },
      },
    ]);
    expect(app.requests).toEqual([{ path: '/api/clusters/cluster-1/pod-events', authorization: 'Bearer the-token' }]);
    expect(app.posts).toMatchObject([{ kind: 'wake', pods: [] }]);
  });

  it('is repeated while the app does not know the cluster, or starts', async () => {
    const refusals = [{ status: 401 }, { status: 503 }];
    app.refuse = () => refusals.shift();
    expect(await wakeApp(contextOf().context, wake())).toBe(true);
    expect([app.requests.length, app.posts.length]).toEqual([3, 1]);
  });

  it('by an older app is refused once, and that is all', async () => {
    app.refuse = () => ({ status: 400 });
    expect(await wakeApp(contextOf().context, wake())).toBe(false);
    expect(app.requests).toHaveLength(1);
  });

  it('is left out where no token is to be had, and where there is no way to the app', async () => {
    expect(await wakeApp(contextOf({ isAllowed: false }).context, wake())).toBe(false);
    expect(app.requests).toEqual([]);
    expect(await wakeApp(contextOf().context, wake('http://127.0.0.1:9'))).toBe(false);
  });
});
