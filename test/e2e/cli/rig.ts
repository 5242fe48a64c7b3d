/** What the command line works on: a real cluster, real storage, the emulated ARM, and the app without any cluster. */
import { cpSync, mkdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import type { Child } from '../../../infra/local/child.ts';
import { ensureControlPlane } from '../../../infra/local/cluster/build.ts';
import { startControlPlane } from '../../../infra/local/cluster/control-plane.ts';
import type { ControlPlane } from '../../../infra/local/cluster/control-plane.ts';
import { ensureHelm } from '../../../infra/local/cluster/helm.ts';
import { kubectlOutput } from '../../../infra/local/cluster/kubectl.ts';
import { createProgress } from '../../../infra/cli/progress.ts';
import { startAzurite } from '../../../infra/local/up/azurite.ts';
import { appFolder, bundle } from '../../../infra/local/up/bundle.ts';
import { startEmulator } from '../../../infra/local/up/emulator.ts';
import type { Emulator } from '../../../infra/local/up/emulator.ts';
import { repository, settingsFile, startHost, writeSettings } from '../../../infra/local/up/host.ts';
import type { HostReady } from '../../../infra/local/up/host.ts';
import { appSettings } from '../../../infra/local/up/settings.ts';
import type { ExitCode } from '../../../infra/cli/exit-code.ts';
import { runCli } from '../../../infra/cli/run-cli.ts';
import { buildDist } from '../../../infra/package/dist.ts';

export interface CliResult {
  readonly code: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

/** Everything but the app. */
export interface Ground {
  readonly cluster: ControlPlane;
  readonly emulator: Emulator;
  /** Path of the settings file. */
  readonly settings: string;
  /** Path of the chart. */
  readonly chart: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Runs a command as an operator would: az's place, kubectl and helm on PATH, the settings from their file. */
  cli(...args: string[]): Promise<CliResult>;
  kubectl(...args: string[]): Promise<string>;
  stop(): Promise<void>;
}

export interface Rig extends Ground {
  readonly host: Child<HostReady>;
}

const arm = {
  subscription: '00000000-0000-4000-8000-000000000001',
  resourceGroup: 'serverless-kubelet',
  location: 'westeurope',
};
const createsPerHour = 6000;

/** Starts everything in `dir`; what had started is stopped when something does not. */
export async function startRig(dir: string): Promise<Rig> {
  const ground = await startGround(dir, () => bundle(dir));
  try {
    const host = await startHost(dir, appFolder(dir));
    const stop = async (): Promise<void> => {
      await host.stop(10_000);
      await ground.stop();
    };
    return { ...ground, host, stop };
  } catch (error) {
    await ground.stop();
    throw error;
  }
}

/** As {@link startRig}, without an app: nobody makes a Node or a container group. `build` brings `dist` up to date. */
export async function startGround(
  dir: string,
  build: () => Promise<void> = () => buildDist(repository),
): Promise<Ground> {
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).toReversed()) await end();
  };
  try {
    mkdirSync(join(dir, 'logs'), { recursive: true });
    const progress = createProgress();
    const binaries = await ensureControlPlane({ progress });
    const helm = await ensureHelm({ progress });
    const [azurite, emulator, cluster] = await Promise.all([
      startAzurite(dir),
      startEmulator(dir, 'process', { arm: { ...arm, endpoint: undefined, caFile: undefined }, createsPerHour }),
      startControlPlane({ stateDir: join(dir, 'cluster'), binaries, progress }),
      build(),
    ]);
    stops.push(
      () => azurite.child.stop(1000),
      () => emulator.child.stop(30_000),
      () => cluster.stop(),
    );
    const identity = { url: emulator.child.value.identityUrl, header: emulator.identityHeader };
    const settings = appSettings({
      arm: { ...arm, endpoint: emulator.child.value.armUrl, caFile: emulator.caFile },
      connectionString: azurite.connectionString,
      createsPerHour,
      subnetId: undefined,
      identity,
    });
    writeSettings(dir, settings);
    // A copy: `dist` may be built anew meanwhile.
    cpSync(join(repository, 'dist/chart'), join(dir, 'chart'), { recursive: true });
    const environment = {
      ...process.env,
      NO_COLOR: '1',
      PATH: [dirname(helm.binary), dirname(cluster.kubectl.binary), process.env['PATH']].join(delimiter),
      HELM_CACHE_HOME: join(dir, 'helm/cache'),
      HELM_CONFIG_HOME: join(dir, 'helm/config'),
      HELM_DATA_HOME: join(dir, 'helm/data'),
      KUBERC: 'off',
      IDENTITY_ENDPOINT: identity.url,
      IDENTITY_HEADER: identity.header,
    };
    // The operator's credential is looked for in the process's own environment.
    process.env['IDENTITY_ENDPOINT'] = identity.url;
    process.env['IDENTITY_HEADER'] = identity.header;
    return {
      cluster,
      emulator,
      settings: settingsFile(dir),
      chart: join(dir, 'chart'),
      environment,
      cli: (...args) => runCommand([...args], environment),
      kubectl: (...args) => kubectlOutput(args, cluster.kubectl),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The whole program in this process; its two streams as texts. */
export async function runCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<CliResult> {
  const texts = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof texts) => ({
    write: (text: string) => {
      texts[name] += text;
      if (process.env['CLI_ECHO'] !== undefined) process.stderr.write(text);
    },
  });
  const code = await runCli(args, {
    stdin: () => Readable.from([]),
    invokedAs: 'main.js',
    environment,
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    signal: new AbortController().signal,
  });
  return { code, ...texts };
}
