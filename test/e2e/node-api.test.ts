/** The suite of the cluster's ports against a real control plane, and what only HTTP has. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { attachNodes } from '../../infra/local/cluster/attach.ts';
import { ensureControlPlane } from '../../infra/local/cluster/build.ts';
import { startControlPlane } from '../../infra/local/cluster/control-plane.ts';
import { createProgress } from '../../infra/cli/progress.ts';
import { describeHttpCluster } from '../contract/cluster.suite.ts';
import { node, sibling } from '../contract/cluster/harness.ts';
import type { HttpClusterUnderTest } from '../contract/cluster/http-cluster.ts';
import { openHttpCluster } from '../contract/cluster/http-cluster.ts';
import { expiredToken } from '../contract/cluster/http-hands.ts';

async function open(): Promise<HttpClusterUnderTest> {
  const dir = mkdtempSync(join(tmpdir(), 'node-api-'));
  const progress = createProgress();
  const binaries = await ensureControlPlane({ progress });
  const controlPlane = await startControlPlane({ stateDir: dir, binaries, progress });
  const attached = await attachNodes({ kubectl: controlPlane.kubectl, nodes: [node, sibling] });
  return openHttpCluster({
    kubeconfig: readFileSync(controlPlane.kubeconfigPath, 'utf8'),
    attached,
    expire: (token) => expiredToken(token, readFileSync(join(dir, 'pki', 'service-account.key'), 'utf8')),
    elapse: (ms) => sleep(ms),
    // A new process has seen nothing of what was before it.
    forgetHistory: () => controlPlane.restartApiServer(),
    close: async () => {
      await controlPlane.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  });
}

describeHttpCluster('real', open);
