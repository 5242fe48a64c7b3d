/** The folders that a pod's containers see, as a kubelet fills them. */
import { chownSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { PodApi } from './api.ts';
import type { Pod, ProjectedSource, Volume } from './pod.ts';

/** A kubelet renews a token when a fifth of its life is left, and reads ConfigMaps and Secrets again about every minute. */
const refreshMs = 60_000;
const renewAt = 0.8;

interface File {
  readonly path: string;
  readonly bytes: Buffer;
}

export interface Volumes {
  folderOf(volume: string): string;
  /** Ends the renewal and removes the folders. */
  remove(): void;
}

/** Fills all volumes of the pod below `folder`, and keeps tokens, ConfigMaps and Secrets fresh. */
export async function prepareVolumes(pod: Pod, folder: string, api: PodApi): Promise<Volumes> {
  rmSync(folder, { recursive: true, force: true });
  const tokens = new Tokens(pod, api);
  const folderOf = (name: string): string => join(folder, name);
  const fill = async (): Promise<void> => {
    for (const volume of pod.spec.volumes)
      await fillVolume({ pod, volume, folder: folderOf(volume.name), api, tokens });
  };
  await fill();
  // The next try comes with the next minute; what is there stays.
  const timer = setInterval(() => void fill().catch(() => undefined), refreshMs);
  return {
    folderOf,
    remove: () => {
      clearInterval(timer);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Filling {
  readonly pod: Pod;
  readonly volume: Volume;
  readonly folder: string;
  readonly api: PodApi;
  readonly tokens: Tokens;
}

async function fillVolume({ pod, volume, folder, api, tokens }: Filling): Promise<void> {
  const group = pod.spec.securityContext.fsGroup;
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  if ('emptyDir' in volume) {
    chownSync(folder, 0, group);
    return;
  }
  const { files, mode } = await contentOf(pod, volume, { api, tokens });
  for (const { path, bytes } of files) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
    // fsGroup may read what the owner may.
    writeFileSync(`${file}.new`, bytes, { mode: mode | ((mode & 0o400) >> 3) });
    chownSync(`${file}.new`, 0, group);
    renameSync(`${file}.new`, file);
  }
}

type Sources = Pick<Filling, 'api' | 'tokens'>;

async function contentOf(
  pod: Pod,
  volume: Exclude<Volume, { emptyDir: object }>,
  { api, tokens }: Sources,
): Promise<{ readonly files: readonly File[]; readonly mode: number }> {
  if ('configMap' in volume) {
    const { name, items, defaultMode } = volume.configMap;
    return { files: pick(await api.readConfigMap(name), items), mode: defaultMode };
  }
  if ('secret' in volume) {
    const { secretName, items, defaultMode } = volume.secret;
    return { files: pick(await api.readSecret(secretName), items), mode: defaultMode };
  }
  const { sources, defaultMode } = volume.projected;
  const parts = await Promise.all(sources.map((source) => projected(pod, source, { api, tokens })));
  return { files: parts.flat(), mode: defaultMode };
}

async function projected(pod: Pod, source: ProjectedSource, { api, tokens }: Sources): Promise<readonly File[]> {
  if ('configMap' in source) return pick(await api.readConfigMap(source.configMap.name), source.configMap.items);
  if ('secret' in source) return pick(await api.readSecret(source.secret.name), source.secret.items);
  if ('downwardAPI' in source)
    return source.downwardAPI.items.map(({ path }) => ({ path, bytes: Buffer.from(pod.metadata.namespace) }));
  const { audience, expirationSeconds, path } = source.serviceAccountToken;
  return [{ path, bytes: Buffer.from(await tokens.get({ audience, expirationSeconds })) }];
}

function pick(
  all: ReadonlyMap<string, Buffer>,
  items: readonly { readonly key: string; readonly path: string }[] | undefined,
): readonly File[] {
  const wanted = items ?? [...all.keys()].map((key) => ({ key, path: key }));
  return wanted.map(({ key, path }) => {
    const bytes = all.get(key);
    if (bytes === undefined) throw new Error(`references non-existent key: ${key}`);
    return { path, bytes };
  });
}

/** The pod's tokens by audience; each is asked for again when four fifths of its life are over. */
class Tokens {
  readonly #pod: Pod;
  readonly #api: PodApi;
  readonly #held = new Map<string, { readonly token: string; readonly renewAtMs: number }>();

  constructor(pod: Pod, api: PodApi) {
    this.#pod = pod;
    this.#api = api;
  }

  async get(wanted: { readonly audience: string | undefined; readonly expirationSeconds: number }): Promise<string> {
    const key = wanted.audience ?? '';
    const held = this.#held.get(key);
    if (held !== undefined && Date.now() < held.renewAtMs) return held.token;
    const token = await this.#api.requestToken(this.#pod, wanted);
    this.#held.set(key, { token, renewAtMs: Date.now() + wanted.expirationSeconds * 1000 * renewAt });
    return token;
  }
}
