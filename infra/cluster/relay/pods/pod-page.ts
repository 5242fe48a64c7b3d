import * as z from 'zod';
import { parseListPage } from '../../../../shared/wire/kubernetes/meta.ts';
import { parseWatchedPod } from './watched-pod.ts';
import type { WatchedPod } from './watched-pod.ts';

/** A page of a list, and the version from which a watch continues it. */
export interface PodPage {
  readonly pods: readonly WatchedPod[];
  readonly resourceVersion: string;
  readonly continueToken: string | undefined;
}

const version = z.object({ metadata: z.object({ resourceVersion: z.string().min(1) }) });

/** Undefined when it is no `PodList`, or one item is not readable: a partial list would show pods as gone. */
export function parsePodPage(json: unknown, node: string): PodPage | undefined {
  const page = parseListPage(json, 'PodList', (item) => parseWatchedPod(item, node));
  const listed = version.safeParse(json);
  if (page === undefined || !listed.success) return undefined;
  return {
    pods: page.items,
    resourceVersion: listed.data.metadata.resourceVersion,
    continueToken: page.continueToken,
  };
}
