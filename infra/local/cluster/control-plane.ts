/** A real Kubernetes control plane on this machine: etcd, kube-apiserver, kube-controller-manager, kube-scheduler. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeExit, startChild } from '../child.ts';
import type { Child } from '../child.ts';
import { endLeftovers } from '../leftovers.ts';
import { issueCertificate } from '../pki.ts';
import type { CertificateRequest, KeyPair } from '../pki.ts';
import { silentProgress } from '../../cli/progress.ts';
import { createApiClient } from './api-client.ts';
import type { ApiClient } from './api-client.ts';
import { bootstrapCluster } from './bootstrap.ts';
import { componentArguments } from './components.ts';
import type { ComponentName } from './components.ts';
import { prepareControlPlane } from './control-plane-plan.ts';
import type { ControlPlaneOptions, ControlPlanePlan } from './control-plane-plan.ts';
import type { KubectlTarget } from './kubectl.ts';

export type { ControlPlaneOptions } from './control-plane-plan.ts';

/** A running control plane. */
export interface ControlPlane {
  /** `https://127.0.0.1:port`. */
  readonly url: string;
  readonly port: number;
  readonly caPem: string;
  /** The administrator's kubeconfig (client certificate, group system:masters). */
  readonly kubeconfigPath: string;
  /** The administrator's kubectl. */
  readonly kubectl: KubectlTarget;
  readonly version: string;
  /** The first address of the Service range, which the `kubernetes` Service has. */
  readonly kubernetesServiceAddress: string;
  /** The log file of each component. */
  readonly logs: Readonly<Record<ComponentName, string>>;
  /** Resolves with a sentence when a component ends that nobody stopped; pending for ever otherwise. */
  readonly failed: Promise<string>;
  /** A certificate of the cluster's CA: a kubelet's serving certificate, a client. */
  issueCertificate(request: CertificateRequest): Promise<KeyPair>;
  /** SIGKILLs the API server and starts it again on the same port; resolves when it is ready. */
  restartApiServer(): Promise<void>;
  /** Ends all components, the API server before etcd; state stays. Safe to repeat. */
  stop(): Promise<void>;
}

const readyTimeoutMs = 60_000;
const pollMs = 50;
const stopGraceMs = 4000;

/**
 * Starts a control plane, or the one that `stateDir` already holds, and resolves when it is ready for pods: /readyz
 * answers, and the default namespace has its ServiceAccount and CA. Everything listens on 127.0.0.1 only. A component
 * that fails to start is an error with its last lines; the others are stopped then.
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const progress = options.progress ?? silentProgress;
  return progress.step('control plane', async (report) => {
    await endLeftovers(join(options.stateDir, 'run'));
    const plan = await prepareControlPlane(options);
    const running = new RunningControlPlane(plan, options);
    try {
      await running.start(report);
    } catch (error) {
      await running.stop();
      throw error;
    }
    report(`Kubernetes ${options.binaries.version}  ${plan.url}`);
    return running;
  });
}

class RunningControlPlane implements ControlPlane {
  readonly url: string;
  readonly port: number;
  readonly caPem: string;
  readonly kubeconfigPath: string;
  readonly kubectl: KubectlTarget;
  readonly version: string;
  readonly kubernetesServiceAddress: string;
  readonly logs: Readonly<Record<ComponentName, string>>;
  readonly failed: Promise<string>;
  readonly #fail: (sentence: string) => void;
  readonly #plan: ControlPlanePlan;
  readonly #options: ControlPlaneOptions;
  readonly #children = new Map<ComponentName, Child<undefined>>();
  readonly #api: ApiClient;

  constructor(plan: ControlPlanePlan, options: ControlPlaneOptions) {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.failed = promise;
    this.#fail = resolve;
    this.#plan = plan;
    this.#options = options;
    this.url = plan.url;
    this.port = plan.port;
    this.caPem = plan.credentials.ca.certPem;
    this.kubeconfigPath = plan.kubeconfigPath;
    this.kubectl = {
      binary: options.binaries.kubectl,
      kubeconfig: plan.kubeconfigPath,
      cacheDir: join(options.stateDir, 'kubectl-cache'),
    };
    this.version = options.binaries.version;
    this.kubernetesServiceAddress = plan.serviceAddress;
    const log = (name: ComponentName): string => join(options.stateDir, 'logs', `${name}.log`);
    this.logs = {
      etcd: log('etcd'),
      'kube-apiserver': log('kube-apiserver'),
      'kube-controller-manager': log('kube-controller-manager'),
      'kube-scheduler': log('kube-scheduler'),
    };
    this.#api = createApiClient({ url: plan.url, caPem: this.caPem }, { certificate: plan.credentials.admin });
  }

  async start(report: (detail: string) => void): Promise<void> {
    report('etcd, kube-apiserver');
    await this.#launch('etcd');
    await this.#launch('kube-apiserver');
    await this.#ready();
    report('kube-controller-manager, kube-scheduler');
    await Promise.all([this.#launch('kube-controller-manager'), this.#launch('kube-scheduler')]);
    await this.#orFailure(bootstrapCluster(this.#api, readyTimeoutMs));
  }

  issueCertificate(request: CertificateRequest): Promise<KeyPair> {
    return issueCertificate(this.#plan.credentials.ca, request);
  }

  async restartApiServer(): Promise<void> {
    const child = this.#children.get('kube-apiserver');
    this.#children.delete('kube-apiserver');
    await child?.stop(0);
    await this.#launch('kube-apiserver');
    await this.#ready();
  }

  async stop(): Promise<void> {
    const etcd = this.#children.get('etcd');
    const others = [...this.#children.values()].filter((child) => child !== etcd);
    this.#children.clear();
    this.#api.close();
    await Promise.all(others.map((child) => child.stop(stopGraceMs)));
    await etcd?.stop(stopGraceMs);
  }

  async #launch(name: ComponentName): Promise<void> {
    const child = await startChild({
      name,
      command: this.#options.binaries.controlPlane,
      args: componentArguments(name, this.#plan.settings),
      logFile: this.logs[name],
      pidDir: join(this.#options.stateDir, 'run'),
      onParentDeath: 'SIGKILL',
    });
    this.#children.set(name, child);
    void child.exited.then((exit) => {
      if (this.#children.get(name) === child) this.#fail(describeExit(child, exit));
      return exit;
    });
  }

  #ready(): Promise<void> {
    return this.#orFailure(this.#untilReady());
  }

  async #untilReady(): Promise<void> {
    const deadline = performance.now() + readyTimeoutMs;
    while (performance.now() < deadline) {
      const status = await this.#api.send({ path: '/readyz' }).then(
        (answer) => answer.status,
        () => 0,
      );
      if (status === 200) return;
      await sleep(pollMs);
    }
    const log = this.logs['kube-apiserver'];
    throw new Error(`kube-apiserver was not ready within ${readyTimeoutMs / 1000} s (log: ${log})`);
  }

  async #orFailure(work: Promise<void>): Promise<void> {
    const failure = this.failed.then((sentence) => Promise.reject(new Error(sentence)));
    await Promise.race([work, failure]);
  }
}
