/** The chart as it is built, Helm, and a real control plane to install it in: what the tests of the chart share. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { ensureControlPlane } from '../../../infra/local/cluster/build.ts';
import { startControlPlane } from '../../../infra/local/cluster/control-plane.ts';
import type { ControlPlane } from '../../../infra/local/cluster/control-plane.ts';
import { ensureHelm, helm } from '../../../infra/local/cluster/helm.ts';
import type { HelmResult } from '../../../infra/local/cluster/helm.ts';
import { kubectl, kubectlOutput } from '../../../infra/local/cluster/kubectl.ts';
import { createProgress } from '../../../infra/cli/progress.ts';
import { buildInto } from '../../../infra/package/build.ts';
import { defined } from '../../../shared/core/defined.ts';

export const namespace = 'serverless-kubelet';
export const release = 'serverless-kubelet';
export const mutatingPolicies = 'admissionregistration.k8s.io/v1/MutatingAdmissionPolicy';

/** A Kubernetes object, as far as these tests look into one. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [member: string]: unknown;
}

export type Values = Readonly<Record<string, unknown>>;

/** Values with which the chart renders. */
export const values = (clusterUid = '5f0c2d6e-6a53-4c62-9d0a-3f0f6c1b2a77'): Values => ({
  clusterUid,
  app: { url: 'https://app.azurewebsites.net', audience: 'https://app.test' },
  nodes: [
    { name: 'aci-1', port: 10_250 },
    { name: 'aci-2', port: 10_251 },
  ],
});

/** The built chart and Helm; with a control plane where it is asked for. */
export class ChartWorld {
  readonly dir: string;
  readonly chart: string;
  readonly #helm: string;

  private constructor(dir: string, helmBinary: string) {
    this.dir = dir;
    this.chart = join(dir, 'dist', 'chart');
    this.#helm = helmBinary;
  }

  static async build(): Promise<ChartWorld> {
    const { binary } = await ensureHelm({ progress: createProgress() });
    const dir = mkdtempSync(join(tmpdir(), 'chart-'));
    mkdirSync(join(dir, 'dist'));
    await buildInto(join(dir, 'dist'), join(import.meta.dirname, '../../..'));
    return new ChartWorld(dir, binary);
  }

  /** Helm with `given` as its values; against the cluster of `kubeconfig`, or none. */
  run(args: readonly string[], given?: Values, kubeconfig?: string): Promise<HelmResult> {
    return helm(given === undefined ? args : [...args, '--values', '-'], {
      binary: this.#helm,
      ...defined({ kubeconfig }),
      ...(given === undefined ? {} : { input: JSON.stringify(given) }),
    });
  }

  /** `helm template`, which knows no cluster; `apis` are those that it is reported. */
  template(given: Values, apis: readonly string[] = [mutatingPolicies, 'cert-manager.io/v1']): Promise<HelmResult> {
    const known = apis.flatMap((api) => ['--api-versions', api]);
    const args = ['template', release, this.chart, '--namespace', namespace, '--kube-version', '1.36.3', ...known];
    return this.run(args, given);
  }

  async render(given: Values): Promise<readonly Manifest[]> {
    const { code, stdout, stderr } = await this.template(given);
    if (code !== 0) throw new Error(stderr);
    return parseAllDocuments(stdout)
      .map((document) => document.toJS() as Manifest | null)
      .filter((manifest) => manifest !== null);
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export const clusterFor = async (world: ChartWorld): Promise<ControlPlane> => {
  const progress = createProgress();
  const binaries = await ensureControlPlane({ progress });
  return startControlPlane({ stateDir: join(world.dir, 'cluster'), binaries, progress });
};

export const clusterUid = async (cluster: ControlPlane): Promise<string> =>
  kubectlOutput(['get', 'namespace', 'kube-system', '-o', 'jsonpath={.metadata.uid}'], cluster.kubectl);

/** Objects of any kind, as `kubectl get` has them. */
export async function get<T>(cluster: ControlPlane, ...args: readonly string[]): Promise<T> {
  return JSON.parse(await kubectlOutput(['get', ...args, '-o', 'json'], cluster.kubectl)) as T;
}

/** `kubectl apply` of objects: what it says, warnings on stderr. */
export const apply = (cluster: ControlPlane, items: readonly object[], ...args: readonly string[]) =>
  kubectl(['apply', '-f', '-', ...args], {
    ...cluster.kubectl,
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  });

/** A namespace, with labels. */
export const namespaced = (name: string, labels: Readonly<Record<string, string>> = {}) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
});
