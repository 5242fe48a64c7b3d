import { openWatch, request } from '../../../shared/adapters/kubernetes/http.ts';
import type { KubernetesClient } from '../../../shared/adapters/kubernetes/http.ts';
import type { Result } from '../../../shared/core/fault.ts';
import { never, valueOf } from './harness.ts';

export interface SeenEvent {
  readonly type: string;
  readonly version: number;
  readonly object: Readonly<Record<string, unknown>>;
}

/** One watch, and all that it reported. */
export class WatchReader {
  readonly events: SeenEvent[] = [];
  readonly ended: Promise<Result<void>>;

  constructor(client: KubernetesClient, path: string, query: Readonly<Record<string, string>>) {
    const options = {
      signal: never,
      inactivityTimeoutMs: 20_000,
      onLine: (line: string): void => {
        const { type, object } = JSON.parse(line);
        this.events.push({ type, version: Number(object.metadata?.resourceVersion), object });
      },
    };
    this.ended = openWatch(client, path, { watch: '1', ...query }, options);
  }

  /** What it reported the object of this name. */
  of(name: string): SeenEvent[] {
    return this.events.filter(({ object }) => (object['metadata'] as { name?: string } | undefined)?.name === name);
  }
}

/** The version at which a list is. */
export async function listVersion(
  client: KubernetesClient,
  path: string,
  query: Readonly<Record<string, string>>,
): Promise<string> {
  const list = await request(client, { method: 'GET', path, query }, (body) => body, never);
  return (valueOf(list) as { metadata: { resourceVersion: string } }).metadata.resourceVersion;
}
