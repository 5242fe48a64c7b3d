/** What an operator has before the first `attach`: a cluster, an account without a row or a blob, and the app without a cluster. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { defaultOptions } from '../../../infra/local/aci/options.ts';
import type { Child } from '../../../infra/local/child.ts';
import { createApiClient } from '../../../infra/local/cluster/api-client.ts';
import type { ApiClient } from '../../../infra/local/cluster/api-client.ts';
import { ensureControlPlane } from '../../../infra/local/cluster/build.ts';
import { startControlPlane } from '../../../infra/local/cluster/control-plane.ts';
import type { ControlPlane } from '../../../infra/local/cluster/control-plane.ts';
import { ensureHelm } from '../../../infra/local/cluster/helm.ts';
import type { KeyPair } from '../../../infra/local/pki.ts';
import { createProgress } from '../../../infra/cli/progress.ts';
import { startAzurite } from '../../../infra/local/up/azurite.ts';
import { appSettings } from '../../../infra/local/up/settings.ts';
import { startReleaseRelay } from '../../e2e/cli/release-relay.ts';
import { location, resourceGroup, startArm, subscription } from './arm.ts';
import type { BenchArm } from './arm.ts';
import { startBlobJournal } from './blob-journal.ts';
import type { BlobJournal } from './blob-journal.ts';
import type { Bundles } from './bundles.ts';
import { startHost } from './host.ts';
import type { BenchHost } from './host.ts';
import { defined } from '../../../shared/core/defined.ts';

export interface FirstInstallation {
  readonly arm: BenchArm;
  readonly blobs: BlobJournal;
  readonly cluster: ControlPlane;
  /** As an administrator. */
  readonly api: ApiClient;
  readonly administrator: KeyPair;
  readonly host: BenchHost;
  /** The packaged command line, to its end; an error when it fails. `signal` kills it. */
  attach(node: string, signal?: AbortSignal): Promise<void>;
  /** Whether the app's settings name the token of a cluster. */
  hasToken(): boolean;
  /** The relay of the release, as a kubelet would start it. */
  startRelay(): Promise<Child<string>>;
  stop(): Promise<void>;
}

const run = promisify(execFile);
const { per5Minutes, perHour } = defaultOptions.resourceRequests;

export async function startFirstInstallation(bundles: Bundles, dir: string): Promise<FirstInstallation> {
  mkdirSync(join(dir, 'logs'), { recursive: true });
  const stops: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).toReversed()) await end();
  };
  const begun = <T>(part: T, end: (part: T) => unknown): T => {
    stops.push(() => end(part));
    return part;
  };
  try {
    const progress = createProgress();
    const binaries = await ensureControlPlane({ progress });
    const helm = await ensureHelm({ progress });
    const azurite = begun(await startAzurite(dir), ({ child }) => child.stop(1000));
    const blobUrl = `http://127.0.0.1:${azurite.child.value.blob}`;
    const blobs = begun(await startBlobJournal(blobUrl), (part) => part.stop());
    const knobs = { latencyMs: 300, quota: defaultOptions.quota, resourceRequests: { per5Minutes, perHour } };
    const arm = begun(await startArm(dir, { knobs }), ({ child }) => child.stop(5000));
    const cluster = begun(await startControlPlane({ stateDir: join(dir, 'cluster'), binaries, progress }), (part) =>
      part.stop(),
    );
    const host = begun(
      await startApp(dir, { bundles, arm, storage: azurite.connectionString.replace(blobUrl, blobs.url) }),
      ({ child }) => child.stop(10_000),
    );
    const administrator = await cluster.issueCertificate({
      commonName: 'benchmark',
      organizations: ['system:masters'],
      usages: ['client'],
    });
    const api = begun(createApiClient(cluster, { certificate: administrator }), (part) => part.close());
    const appUrl = host.child.value.url;
    const env = {
      ...process.env,
      PATH: [dirname(helm.binary), dirname(cluster.kubectl.binary), process.env['PATH']].join(delimiter),
      HELM_CACHE_HOME: join(dir, 'helm/cache'),
      HELM_CONFIG_HOME: join(dir, 'helm/config'),
      HELM_DATA_HOME: join(dir, 'helm/data'),
      KUBERC: 'off',
      NO_COLOR: '1',
      IDENTITY_ENDPOINT: arm.child.value.identityUrl,
      IDENTITY_HEADER: arm.identityHeader,
    };
    const settingsFile = join(dir, 'local.settings.json');
    const main = join(bundles.app, '..', 'cli', 'main.js');
    const chart = join(bundles.app, '..', 'chart');
    return {
      arm,
      blobs,
      cluster,
      api,
      administrator,
      host,
      attach: async (node, signal) => {
        const place = ['--settings', settingsFile, '--kubeconfig', cluster.kubeconfigPath];
        // No kubelet runs the relay's Deployment, and no kube-proxy gives its Service a way.
        const here = ['--auth', 'token', '--app-url', appUrl, '--node-address', '127.0.0.1', '--wait', 'nodes'];
        await run(
          process.execPath,
          [main, 'attach', ...place, ...here, '--chart', chart, '--nodes', node, '--port', '21250'],
          { env, killSignal: 'SIGKILL', ...defined({ signal }) },
        );
      },
      hasToken: () => /"CLUSTER_TOKEN_/.test(readFileSync(settingsFile, 'utf8')),
      startRelay: async () =>
        begun(await startReleaseRelay(cluster, join(dir, 'relay'), appUrl), (child) => child.stop(3000)),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface AppParts {
  readonly bundles: Bundles;
  readonly arm: BenchArm;
  readonly storage: string;
}

function startApp(dir: string, { bundles, arm, storage }: AppParts): Promise<BenchHost> {
  const settings = appSettings({
    arm: { subscription, resourceGroup, location, endpoint: arm.child.value.armUrl, caFile: arm.caFile },
    connectionString: storage,
    createsPerHour: perHour,
    subnetId: undefined,
    identity: { url: arm.child.value.identityUrl, header: arm.identityHeader },
  });
  return startHost(dir, { app: bundles.app, settings });
}
