/** The relay as a cluster has it: installed by Helm from the chart, its pods run in Podman as they are rendered. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stateKey } from '../aci/runtime/engine/podman-layout.ts';
import { ensureHelm, helm } from '../cluster/helm.ts';
import { kubectlOutput } from '../cluster/kubectl.ts';
import { createCertificateAuthority, issueCertificate } from '../pki.ts';
import type { Progress } from '../../cli/progress.ts';
import { repository } from '../up/host.ts';
import { writeConfig } from '../up/relay.ts';
import type { RelayInput } from '../up/relay.ts';
import { appAudience, installation } from '../up/settings.ts';
import { openPodApi } from './api.ts';
import { runDeployment } from './run-deployment.ts';
import type { RunningDeployment } from './run-deployment.ts';
import { startTlsDoor } from './service-door.ts';

export interface ChartRelayInput extends RelayInput {
  /** The bridge's address on this machine: pods reach the API server and the app there. */
  readonly gateway: string;
  /** What values say besides; wins. */
  readonly values?: object;
}

export interface ChartRelay {
  readonly deployment: RunningDeployment;
  stop(): Promise<void>;
}

const release = 'serverless-kubelet';
const servingSecret = 'relay-serving';
const replicas = 2;
const readyMs = 90_000;

/**
 * Installs or upgrades the release and runs its Deployment; resolves when every replica is ready. Of what the chart
 * renders nothing is changed; values say where the API server and the app are, since there are neither Services nor
 * names here, and which certificate the node's address has. Needs a control plane that pods can reach, and Podman.
 */
export async function startChartRelay(input: ChartRelayInput, progress: Progress): Promise<ChartRelay> {
  const { cluster, attachment, dir, gateway } = input;
  const { forwarder } = cluster;
  if (forwarder === undefined) throw new Error('--relay chart needs a control plane of its own and Podman');
  // For tests and people: the same configuration, with files of this machine.
  await writeConfig(input);
  const authority = await createCertificateAuthority('serverless-kubelet local app');
  const pair = await issueCertificate(authority, { commonName: 'app', ipAddresses: [gateway], usages: ['server'] });
  const front = await startTlsDoor({ address: gateway, pair, targetPort: Number(new URL(input.appUrl).port) });
  const api = openPodApi(cluster.kubeconfig, attachment.namespace);
  let deployment: RunningDeployment | undefined;
  const stop = async (): Promise<void> => {
    await deployment?.stop();
    api.close();
    await front.close();
  };
  try {
    await applyServingPair(input);
    await installChart(input, progress, {
      clusterUid: attachment.clusterUid,
      installation,
      app: { url: `https://${gateway}:${front.ports[0]}`, audience: appAudience, ca: authority.certPem },
      nodes: [input.node],
      replicas,
      serving: { mode: 'secret', secretName: servingSecret },
      apiServer: { url: `https://${forwarder.address}:${forwarder.port}` },
      ...input.values,
    });
    const engine = join('/run/serverless-kubelet', stateKey(join(dir, 'aci', 'podman')));
    deployment = await runDeployment({
      api,
      engineSocket: join(engine, 'podman.sock'),
      network: `sk-${stateKey(join(dir, 'aci'))}`,
      volumesDir: join(engine, 'relay-pods'),
      logFile: join(dir, 'logs', 'relay.log'),
      address: input.address,
      ports: [input.node.port],
      log: (line) => progress.line(`relay: ${line}`),
    });
    await waitUntilReady(deployment);
    return { deployment, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Resolves when all replicas are ready; rejects after a minute and a half. */
export async function waitUntilReady(deployment: RunningDeployment): Promise<void> {
  for (const until = Date.now() + readyMs; deployment.ready().length < replicas; await sleep(200))
    if (Date.now() > until)
      throw new Error(`after ${readyMs / 1000} s only ${deployment.ready().length} of ${replicas} replicas are ready`);
}

/** The node's address is this machine's, so that its certificate is signed by the cluster's CA, as one by a CSR would be. */
async function applyServingPair({ cluster, attachment, certificate }: ChartRelayInput): Promise<void> {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: servingSecret, namespace: attachment.namespace },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': certificate.certPem, 'tls.key': certificate.keyPem },
  };
  const target = { binary: cluster.kubectl, kubeconfig: cluster.kubeconfig, input: JSON.stringify(secret) };
  await kubectlOutput(['apply', '--server-side', '-f', '-'], target);
}

async function installChart(input: ChartRelayInput, progress: Progress, values: object): Promise<void> {
  const { binary } = await ensureHelm({ progress });
  const run = { binary, kubeconfig: input.cluster.kubeconfig, input: JSON.stringify(values) };
  const { code, stderr } = await helm(
    [
      'upgrade',
      '--install',
      release,
      join(repository, 'dist', 'chart'),
      '--namespace',
      input.attachment.namespace,
      '--values',
      '-',
      // The cloud has attached the node already, and with it made the accounts and their rights.
      '--take-ownership',
      '--force-conflicts',
    ],
    run,
  );
  if (code !== 0) throw new Error(`helm upgrade failed: ${stderr.trim()}`);
}
