/** The relay as a cluster has it: installed from the chart, its pods run in Podman as they are rendered. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stateKey } from '../aci/runtime/engine/podman-layout.ts';
import { kubectlOutput } from '../cluster/kubectl.ts';
import { createCertificateAuthority, issueCertificate } from '../pki.ts';
import type { KeyPair } from '../pki.ts';
import type { Cluster } from '../up/cluster.ts';
import type { Progress } from '../../cli/progress.ts';
import { writeConfig } from '../up/relay.ts';
import type { RelayInput } from '../up/relay.ts';
import { openPodApi } from './api.ts';
import { runDeployment } from './run-deployment.ts';
import type { RunningDeployment } from './run-deployment.ts';
import { startTlsDoor } from './service-door.ts';

/** What the relay's pods need on the way to the app: an address with a certificate, as Azure's front end gives one. */
export interface AppFront {
  /** `https://…`, on the containers' bridge. */
  readonly url: string;
  /** Of its authority. */
  readonly caPem: string;
  close(): Promise<void>;
}

/** Opens a front before the app at `appUrl`, at the bridge's address on this machine. */
export async function openAppFront(gateway: string, appUrl: string): Promise<AppFront> {
  const authority = await createCertificateAuthority('serverless-kubelet local app');
  const pair = await issueCertificate(authority, { commonName: 'app', ipAddresses: [gateway], usages: ['server'] });
  const door = await startTlsDoor({ address: gateway, pair, targetPort: Number(new URL(appUrl).port) });
  return { url: `https://${gateway}:${door.ports[0]}`, caPem: authority.certPem, close: () => door.close() };
}

/**
 * What the chart is reported besides what `attach` reports it: where API server and app are, since there are neither Services
 * nor names here, and which certificate the node's address has.
 */
export const chartValues = (
  front: Pick<AppFront, 'caPem'>,
  apiServer: { readonly address: string; readonly port: number },
  aciCaPem: string | undefined,
) => ({
  app: { ca: front.caPem },
  ...(aciCaPem === undefined ? {} : { aci: { ca: aciCaPem } }),
  replicas,
  // They are run here, and no ordinary node of the cluster takes them.
  nodeSelector: { 'serverless-kubelet.local/runs': 'relay' },
  serving: { mode: 'secret', secretName: servingSecret },
  apiServer: { url: `https://${apiServer.address}:${apiServer.port}` },
});

export interface ChartRelay {
  readonly deployment: RunningDeployment;
  stop(): Promise<void>;
}

const servingSecret = 'relay-serving';
const replicas = 2;
const readyMs = 90_000;

/**
 * Runs the Deployment of the release that `attach` has installed; resolves when every replica is ready. Of what the
 * chart renders nothing is changed. Needs a control plane that pods can reach, and Podman.
 */
export async function startChartRelay(input: RelayInput, progress: Progress): Promise<ChartRelay> {
  const { cluster, attachment, dir } = input;
  // For tests and people: the same configuration, with files of this machine.
  await writeConfig(input);
  const api = openPodApi(cluster.kubeconfig, attachment.namespace);
  let deployment: RunningDeployment | undefined;
  const stop = async (): Promise<void> => {
    await deployment?.stop();
    api.close();
  };
  try {
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

/**
 * The namespace with the certificate that the chart's values name, which the chart wants to be there first. The node's
 * address is this machine's, so that it is signed by the cluster's CA, as one by a CSR would be.
 */
export async function prepareNamespace(
  { kubectl, kubeconfig }: Pick<Cluster, 'kubectl' | 'kubeconfig'>,
  namespace: string,
  certificate: KeyPair,
): Promise<void> {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  const items = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: servingSecret, namespace },
      type: 'kubernetes.io/tls',
      stringData: { 'tls.crt': certificate.certPem, 'tls.key': certificate.keyPem },
    },
  ];
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await kubectlOutput(['apply', '--server-side', '--force-conflicts', '-f', '-'], {
    binary: kubectl,
    kubeconfig,
    input,
  });
}
