import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { MappedEndpoints } from '../../../../../shared/core/image/registry-endpoint.ts';
import { mappedOrigin } from '../../../../../shared/core/image/registry-endpoint.ts';
import type { RegistryCredential } from '../runtime.ts';
import { EngineError, readBytes } from './client.ts';
import type { EngineClient } from './client.ts';
import { runCommand } from './command.ts';
import { imageFolder, preparePodman } from './podman-layout.ts';
import type { PodmanLayout } from './podman-layout.ts';
import { registryOf } from './reference.ts';
import { registriesConf } from './registries-conf.ts';

export interface StoredImage {
  /** `sha256:<64 hex>`: the registry's where the image came from one, otherwise that of its configuration. */
  readonly digest: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The images of an engine. Names are normalized ones. */
export interface ImageStore {
  /** A stored image. */
  find(image: string): Promise<StoredImage | undefined>;
  /** Fetches an image from its registry; undefined when it succeeded, otherwise the engine's sentence. */
  pull(image: string, options: PullOptions): Promise<string | undefined>;
  /** Stores a root file system (a tar file) as an image; `changes` are Dockerfile lines like `CMD ["sh"]`. */
  importTar(image: string, tarFile: string, changes: readonly string[]): Promise<void>;
  /** Stores an image that differs from `base` by Dockerfile lines alone. */
  derive(image: string, base: string, changes: readonly string[]): Promise<void>;
}

export interface PullOptions {
  readonly credential: RegistryCredential | undefined;
  readonly timeoutMs: number;
}

const inspected = z.object({
  Id: z.string(),
  RepoDigests: z.array(z.string()).nullish(),
  Config: z.object({ Labels: z.record(z.string(), z.string()).nullish() }).nullish(),
});

function storedImage(image: z.infer<typeof inspected>): StoredImage {
  const repository = image.RepoDigests?.[0]?.split('@')[1];
  const digest = repository ?? (image.Id.startsWith('sha256:') ? image.Id : `sha256:${image.Id}`);
  return { digest, labels: image.Config?.Labels ?? {} };
}

/**
 * Podman's images, in the user's cache folder. All state folders read it as an additional store, so it is filled by
 * calls of their own, which Podman's locks allow at any time. Registries of `endpoints` are asked there.
 */
export async function podmanImageStore(
  endpoints: MappedEndpoints = {},
): Promise<ImageStore & { readonly storage: string }> {
  await mkdir(imageFolder(), { recursive: true, mode: 0o700 });
  const layout = await preparePodman(imageFolder());
  const podman = (args: readonly string[]) =>
    runCommand('podman', [...layout.globalArgs, ...args], { environment: layout.environment });
  const must = async (args: readonly string[]) => {
    const result = await podman(args);
    if (result.exitCode !== 0) throw new Error(`podman ${args[0]} failed: ${result.stderr.trim()}`);
  };
  return {
    storage: layout.storage,
    async find(image) {
      const result = await podman(['image', 'inspect', image]);
      const found = result.exitCode === 0 ? z.array(inspected).parse(JSON.parse(result.stdout))[0] : undefined;
      return found === undefined ? undefined : storedImage(found);
    },
    pull: (image, options) => pullWithPodman(layout, image, { ...options, endpoints }),
    importTar: (image, tarFile, changes) =>
      must(['import', '--quiet', ...changes.flatMap((line) => ['--change', line]), tarFile, image]),
    derive: (image, base, changes) =>
      withDockerfile(layout.runDir, dockerfile(base, changes), (folder) =>
        must(['build', '--quiet', '--pull=never', '--tag', image, folder]),
      ),
  };
}

function dockerfile(base: string, changes: readonly string[]): string {
  return `FROM ${base}\n${changes.join('\n')}\n`;
}

async function withDockerfile(parent: string, text: string, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(parent, 'build-'));
  try {
    await writeFile(join(folder, 'Dockerfile'), text);
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A group gets the credentials that it was given and no others, so the user's own are not looked at. */
async function pullWithPodman(
  layout: PodmanLayout,
  image: string,
  options: PullOptions & { readonly endpoints: MappedEndpoints },
): Promise<string | undefined> {
  const folder = await mkdtemp(join(layout.runDir, 'pull-'));
  try {
    const authFile = join(folder, 'auth.json');
    const { credential } = options;
    const auths =
      credential === undefined
        ? {}
        : {
            [registryOf(image)]: {
              auth: Buffer.from(`${credential.username}:${credential.password}`).toString('base64'),
            },
          };
    await writeFile(authFile, JSON.stringify({ auths }), { mode: 0o600 });
    const result = await runCommand(
      'podman',
      [...layout.globalArgs, 'pull', '--quiet', '--authfile', authFile, image],
      {
        environment: { ...layout.environment, ...(await registriesOf(image, options.endpoints, folder)) },
        timeoutMs: options.timeoutMs,
      },
    );
    return result.exitCode === 0 ? undefined : lastLine(result.stderr);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Where the image's registry is asked elsewhere: which file says so. Otherwise this machine's own hold. */
async function registriesOf(image: string, endpoints: MappedEndpoints, folder: string): Promise<NodeJS.ProcessEnv> {
  const host = registryOf(image);
  const origin = mappedOrigin(host, endpoints);
  if (origin === undefined) return {};
  const file = join(folder, 'registries.conf');
  await writeFile(file, registriesConf(host, origin));
  return { CONTAINERS_REGISTRIES_CONF: file };
}

function lastLine(text: string): string {
  return (
    text
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/^Error: /u, '') ?? ''
  );
}

const pullProgress = z.object({ error: z.string().optional() });

/** The images of a running Docker daemon. */
export function dockerImageStore(client: EngineClient): ImageStore {
  return {
    async find(image) {
      try {
        return storedImage(await client.json(inspected, { method: 'GET', path: `/images/${image}/json` }));
      } catch (error) {
        if (error instanceof EngineError && error.status === 404) return undefined;
        throw error;
      }
    },
    pull: (image, options) => pullWithDocker(client, image, options),
    async importTar(image, tarFile, changes) {
      const query = new URLSearchParams([
        ['fromSrc', '-'],
        ...nameQuery(image),
        ...changes.map((line): [string, string] => ['changes', line]),
      ]);
      const upload = createReadStream(tarFile);
      await progressEnd(client, { path: `/images/create?${query.toString()}`, upload });
    },
    async derive(image, base, changes) {
      await withDockerfile(tmpdir(), dockerfile(base, changes), async (folder) => {
        const packed = await runCommand('tar', ['-cf', join(folder, 'context.tar'), '-C', folder, 'Dockerfile']);
        if (packed.exitCode !== 0) throw new Error(packed.stderr);
        const upload = createReadStream(join(folder, 'context.tar'));
        await progressEnd(client, { path: `/build?t=${encodeURIComponent(image)}`, upload });
      });
    },
  };
}

function nameQuery(image: string): [string, string][] {
  const colon = image.lastIndexOf(':');
  return [
    ['repo', image.slice(0, colon)],
    ['tag', image.slice(colon + 1)],
  ];
}

async function pullWithDocker(client: EngineClient, image: string, options: PullOptions): Promise<string | undefined> {
  const { credential } = options;
  const auth =
    credential === undefined
      ? {}
      : {
          'X-Registry-Auth': Buffer.from(
            JSON.stringify({
              username: credential.username,
              password: credential.password,
              serveraddress: credential.server,
            }),
          ).toString('base64url'),
        };
  try {
    const answer = await client.stream({
      method: 'POST',
      path: `/images/create?fromImage=${encodeURIComponent(image)}`,
      headers: auth,
      signal: AbortSignal.timeout(options.timeoutMs),
    });
    return progressError(await readBytes(answer));
  } catch (error) {
    if (error instanceof EngineError) return `status ${error.status}: ${error.message}`;
    if (error instanceof Error && error.name === 'TimeoutError') return `timed out after ${options.timeoutMs} ms`;
    throw error;
  }
}

async function progressEnd(
  client: EngineClient,
  options: { path: string; upload: NodeJS.ReadableStream },
): Promise<void> {
  const answer = await client.stream({ method: 'POST', headers: { 'Content-Type': 'application/x-tar' }, ...options });
  const failure = progressError(await readBytes(answer));
  if (failure !== undefined) throw new Error(failure);
}

/** Status 200 says little: a failure is in the last line of the progress. */
function progressError(body: Buffer): string | undefined {
  const lines = body
    .toString('utf8')
    .split(/\r?\n/u)
    .filter((line) => line.trim() !== '');
  return lines.map((line) => pullProgress.parse(JSON.parse(line)).error).find((error) => error !== undefined);
}
