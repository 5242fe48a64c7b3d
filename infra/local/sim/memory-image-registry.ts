import { fail, ok } from '../../../shared/core/fault.ts';
import type { Fault, Result } from '../../../shared/core/fault.ts';
import type { ImageConfig } from '../../../shared/core/image/image-config.ts';
import { noMatchingPlatform } from '../../../shared/core/image/platform.ts';
import type { ImageQuery, ImageRegistry, RegistryLogin } from '../../../shared/ports/image-registry.ts';
import { noTimeLeft } from './faults/call-gate.ts';

/** Registries in memory, for tests. Same rules, same contract suite. */
export interface MemoryImageRegistry extends ImageRegistry {
  /** Puts a tag, and a config under its digest; undefined: one of another platform. */
  put(
    repository: string,
    tag: string,
    image: { readonly digest: string; readonly config?: Omit<ImageConfig, 'digest'> },
  ): void;
  /** While set, every call fails with it. */
  fault: Fault | undefined;
  /** How often it was asked. */
  readonly asked: { digests: number; configs: number };
}

/** `repository` with its registry: `index.docker.io/library/nginx`. With `login` nobody else is let in. */
export function createMemoryImageRegistry(login?: RegistryLogin): MemoryImageRegistry {
  const tags = new Map<string, string>();
  const configs = new Map<string, Omit<ImageConfig, 'digest'> | undefined>();
  const place = ({ source }: ImageQuery): string => `${source.registry}/${source.repository}`;
  const mayRead = ({ logins }: ImageQuery): boolean =>
    login === undefined ||
    logins.some(({ username, password }) => username === login.username && password === login.password);
  const call = async <T>(query: ImageQuery, signal: AbortSignal, act: () => Result<T>): Promise<Result<T>> => {
    if (signal.aborted) return noTimeLeft;
    if (memory.fault !== undefined) return fail(memory.fault);
    return mayRead(query) ? act() : fail({ kind: 'denied', code: 'UNAUTHORIZED', message: `${place(query)}: no` });
  };
  const memory: MemoryImageRegistry = {
    fault: undefined,
    asked: { digests: 0, configs: 0 },
    put: (repository, tag, { digest, config }) => {
      tags.set(`${repository}:${tag}`, digest);
      configs.set(`${repository}@${digest}`, config);
    },
    getDigest: (query, signal) => {
      memory.asked.digests += 1;
      return call(query, signal, () => {
        const digest = tags.get(`${place(query)}:${query.source.reference.value}`);
        return digest === undefined ? fail(unknown(place(query))) : ok(digest);
      });
    },
    getConfig: (query, signal) => {
      memory.asked.configs += 1;
      return call(query, signal, () => {
        const digest = query.source.reference.value;
        const key = `${place(query)}@${digest}`;
        if (!configs.has(key)) return fail(unknown(place(query)));
        const config = configs.get(key);
        return config === undefined ? noMatchingPlatform([]) : ok({ digest, ...config });
      });
    },
  };
  return memory;
}

const unknown = (image: string): Fault => ({
  kind: 'not-found',
  code: 'MANIFEST_UNKNOWN',
  message: `${image} is not there`,
});
