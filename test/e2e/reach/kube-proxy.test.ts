import { expect, it } from 'vitest';
import type { ApiReader } from '../../../infra/local/aci/kube-proxy/api.ts';
import { runProxy } from '../../../infra/local/aci/kube-proxy/proxy.ts';
import { installedBy, restoreText } from '../../../infra/local/aci/kube-proxy/restore-text.ts';

const metadata = { namespace: 'default', name: 'web', resourceVersion: '1' };
const spec = { clusterIP: '10.96.1.1', ports: [{ port: 80 }], sessionAffinity: 'ClientIP' };
const subsets = [{ addresses: [{ ip: '10.1.0.1' }, { ip: 'nonsense' }], ports: [{ port: 8080 }] }];

/** An API server with one Service, whose watches never say anything. */
const api: ApiReader = {
  get: async (path) => {
    const item = path.endsWith('/services') ? { metadata, spec } : { metadata, subsets };
    return JSON.stringify({ metadata: { resourceVersion: '1' }, items: [item] });
  },
  lines: async function* (_, signal) {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    yield* [];
  },
};

/** Runs the proxy over an iptables that takes only texts that `takes` likes; gives those texts, and the log. */
async function play(takes: (text: string, attempt: number) => boolean, done: (texts: string[]) => boolean) {
  const ending = new AbortController();
  const texts: string[] = [];
  const log: string[] = [];
  let attempt = 0;
  const running = runProxy({
    api,
    clusterCidr: undefined,
    watchSeconds: 60,
    log: (line) => log.push(line),
    signal: ending.signal,
    rules: {
      apply: async (wanted) => {
        const text = restoreText(wanted, installedBy(wanted));
        attempt += 1;
        if (!takes(text, attempt)) throw new Error('line 9 failed');
        texts.push(text);
      },
    },
  });
  await expect.poll(() => done(texts), { timeout: 10_000, interval: 10 }).toBe(true);
  ending.abort();
  await running;
  return { texts, log };
}

it('writes what it reads, and says once what it left out', async () => {
  const { texts, log } = await play(
    () => true,
    (all) => all.length === 1,
  );
  expect(texts[0]).toContain('--to-destination 10.1.0.1:8080');
  expect(log).toEqual(['default/web: left out "address nonsense"']);
});

it('does without sessions where the kernel can not keep them, so that the others go on', async () => {
  const { texts, log } = await play(
    (text) => !text.includes('recent'),
    (all) => all.length === 1,
  );
  expect(texts[0]).toContain('--to-destination 10.1.0.1:8080');
  expect(log[0]).toMatch(/^sessions are not kept/);
});

it('tries again when iptables fails, sessions included', async () => {
  const { texts, log } = await play(
    (_, attempt) => attempt > 2,
    (all) => all.length === 1,
  );
  expect(texts[0]).toContain('recent');
  expect(log).toContain('line 9 failed');
});
