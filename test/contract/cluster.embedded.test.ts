import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedCluster } from '../../infra/local/cluster/embedded/embedded-cluster.ts';
import { apiAdministrator } from '../../infra/local/up/api-administrator.ts';
import { describeHttpCluster } from './cluster.suite.ts';
import { node, sibling } from './cluster/harness.ts';
import { openHttpCluster } from './cluster/http-cluster.ts';
import type { HttpClusterUnderTest } from './cluster/http-cluster.ts';
import { expire } from './cluster/memory-hands.ts';

const tickMs = 5000;

/** Real sockets and a clock that can be put forward. */
async function open(): Promise<HttpClusterUnderTest> {
  const dir = mkdtempSync(join(tmpdir(), 'embedded-'));
  let aheadMs = 0;
  const started = await startEmbeddedCluster({ dir, now: () => Date.now() + aheadMs });
  const kubeconfig = readFileSync(started.kubeconfigPath, 'utf8');
  const administrator = apiAdministrator(kubeconfig);
  const attached = await administrator.attach([node, sibling]);
  administrator.close();
  return openHttpCluster({
    kubeconfig,
    attached,
    expire: (token) => expire(started.cluster.state(), token),
    elapse: async (ms) => {
      for (let left = ms; left > 0; left -= tickMs) {
        aheadMs += Math.min(left, tickMs);
        started.cluster.tick();
      }
    },
    forgetHistory: async () => started.cluster.state().store.compact(),
    close: async () => {
      await started.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  });
}

describeHttpCluster('embedded, over HTTP', open);
