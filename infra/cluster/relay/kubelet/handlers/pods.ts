import * as z from 'zod';
import { request } from '../../../../../shared/adapters/kubernetes/http.ts';
import { selectorValue } from '../../../../../shared/adapters/kubernetes/path.ts';
import { describeFault } from '../../../../../shared/core/fault.ts';
import { parseListPage } from '../../../../../shared/wire/kubernetes/meta.ts';
import { answerText, writeAll } from '../call.ts';
import type { KubeletHandler } from '../call.ts';
import { defined } from '../../../../../shared/core/defined.ts';

const pageSize = 100;

const item = z.record(z.string(), z.unknown());

/** `GET /pods`: the node's pods as the API server has them, page by page, so that none is held here. */
export const pods: KubeletHandler = async ({ client, node }, { response, signal }) => {
  let next: string | undefined;
  let count = 0;
  do {
    const query = {
      fieldSelector: `spec.nodeName=${selectorValue(node)}`,
      limit: String(pageSize),
      ...defined({ continue: next }),
    };
    const page = await request(client, { method: 'GET', path: '/api/v1/pods', query }, parsePage, signal);
    if (!page.ok) {
      // In the middle of a list only the broken connection can still say that it is not whole.
      if (response.headersSent) response.destroy();
      else answerText(response, 503, `the pods could not be listed: ${describeFault(page.fault)}`);
      return;
    }
    if (!response.headersSent) {
      response.writeHead(200, { 'content-type': 'application/json' });
      await writeAll(response, '{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[', signal);
    }
    for (const pod of page.value.items) {
      await writeAll(response, `${count === 0 ? '' : ','}${JSON.stringify(pod)}`, signal);
      count += 1;
    }
    next = page.value.continueToken;
  } while (next !== undefined && !signal.aborted);
  response.end(']}\n');
};

const parsePage = (json: unknown) => parseListPage(json, 'PodList', (one) => item.safeParse(one).data);
