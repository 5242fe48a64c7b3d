import { fail, ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import { parseListPage } from '../../wire/kubernetes/meta.ts';
import { transient } from './fault.ts';
import { request } from './http.ts';
import type { KubernetesClient } from './http.ts';
import { defined } from '../../core/defined.ts';

/** What is to be listed, and how an item is read (undefined: the whole list is a `transient` fault). */
export interface ListRequest<T> {
  readonly path: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
  /** `PodList`, `ServiceList`…: another kind, or none, is garbage and not an empty list. */
  readonly kind: string;
  readonly parseItem: (item: unknown) => T | undefined;
  /** 500 unless the items are large: an answer has a bound. */
  readonly pageSize?: number;
}

const pageSize = 500;
const maxPages = 1000;

/** All pages from one consistent read (no resourceVersion), or the first fault: `conflict` `Expired` when the list grew too old. One request a page. */
export async function list<T>(
  client: KubernetesClient,
  wanted: ListRequest<T>,
  signal: AbortSignal,
): Promise<Result<readonly T[]>> {
  const items: T[] = [];
  let next: string | undefined;
  for (let page = 0; page < maxPages; page += 1) {
    const query = {
      limit: String(wanted.pageSize ?? pageSize),
      ...defined({ fieldSelector: wanted.fieldSelector, labelSelector: wanted.labelSelector, continue: next }),
    };
    const answer = await request(
      client,
      { method: 'GET', path: wanted.path, query },
      (json) => parseListPage(json, wanted.kind, wanted.parseItem),
      signal,
    );
    if (!answer.ok) return answer;
    items.push(...answer.value.items);
    const { continueToken } = answer.value;
    if (continueToken === undefined) return ok(items);
    if (continueToken === next) return fail(transient(`GET ${wanted.path}: the list does not go on`));
    next = continueToken;
  }
  return fail(transient(`GET ${wanted.path}: more than ${maxPages} pages`));
}
