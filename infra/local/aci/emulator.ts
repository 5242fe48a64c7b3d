import { answerAdmin } from './admin.ts';
import { createCore } from './core.ts';
import type { CoreOptions, EmulatorCore } from './core.ts';
import { openExecDoor } from './exec/door.ts';
import type { ExecDoor } from './exec/door.ts';
import { listen } from './http-server.ts';
import type { ListeningServer } from './http-server.ts';

export interface EmulatorStart extends CoreOptions {
  /** PEM certificate and key of the ARM door, valid for `host` and `localhost`. */
  readonly tls: { readonly cert: string; readonly key: string };
  /** Loopback unless given. */
  readonly host?: string;
  /** Ports; 0 or absent means any free one. */
  readonly armPort?: number;
  readonly identityPort?: number;
  readonly adminPort?: number;
  /** The port of exec and attach, at `host` with `tls` unless it has an address and a certificate of its own. */
  readonly exec?: {
    readonly port?: number;
    readonly at?: { readonly host: string; readonly tls: { readonly cert: string; readonly key: string } } | undefined;
  };
  /** Serves ARM over plain HTTP as well, on a port of its own. */
  readonly plainArm?: boolean;
}

export interface RunningEmulator {
  /** `https://127.0.0.1:port`, without a slash at the end. */
  readonly armUrl: string;
  /** With `plainArm`. */
  readonly plainArmUrl: string | undefined;
  /** What IDENTITY_ENDPOINT is to be: `http://127.0.0.1:port/msi/token`. */
  readonly identityUrl: string;
  /** What IDENTITY_HEADER is to be. */
  readonly identityHeader: string;
  readonly adminUrl: string;
  /** Where the addresses of exec and attach lead: `wss://127.0.0.1:port`. */
  readonly execUrl: string;
  readonly core: EmulatorCore;
  /** Stops listening and deletes every group and sandbox. Idempotent. */
  close(): Promise<void>;
}

/** Starts the emulator's doors: ARM over TLS, the managed identity endpoint, exec and attach, and the admin side. */
export async function startEmulator(options: EmulatorStart): Promise<RunningEmulator> {
  const core = createCore(options);
  const { maxBodyBytes } = core.state.options;
  const host = options.host ?? '127.0.0.1';
  const servers: Pick<ListeningServer, 'close'>[] = [];
  const open = async (port: number | undefined, rest: Omit<Parameters<typeof listen>[0], 'host' | 'port'>) => {
    const server = await listen({ host, port: port ?? 0, ...rest });
    servers.push(server);
    return server;
  };
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.close()));
    await core.close();
  };
  try {
    const arm = await open(options.armPort, { tls: options.tls, maxBodyBytes, answer: (r) => core.arm(r) });
    const plain = options.plainArm === true ? await open(0, { maxBodyBytes, answer: (r) => core.arm(r) }) : undefined;
    const identity = await open(options.identityPort, { maxBodyBytes, answer: (r) => core.identity(r) });
    const admin = await open(options.adminPort, { maxBodyBytes, answer: (r) => answerAdmin(core, r) });
    const exec = await openExec(core, host, options);
    servers.push(exec);
    const urls = [arm.url, `https://localhost:${arm.port}`];
    core.setArmUrls(plain === undefined ? urls : [...urls, plain.url]);
    return {
      armUrl: arm.url,
      plainArmUrl: plain?.url,
      identityUrl: `${identity.url}/msi/token`,
      identityHeader: core.identityHeader,
      adminUrl: admin.url,
      execUrl: exec.url,
      core,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openExec(
  core: EmulatorCore,
  host: string,
  { exec, tls }: Pick<EmulatorStart, 'exec' | 'tls'>,
): Promise<ExecDoor> {
  const { clock, life, exec: endpoint } = core.state;
  const place = exec?.at ?? { host, tls };
  const door = await openExecDoor({ ...place, port: exec?.port ?? 0, endpoint, clock, log: life.log });
  await endpoint.setDoor(door);
  return door;
}
