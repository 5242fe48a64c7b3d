/** List and watch over a real socket, with a server that breaks each rule once. */
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { Reflector } from '../../infra/cluster/relay/pods/reflector.ts';
import { cannedServer, statusBody } from '../adapters/kubernetes/canned-server.ts';
import type { Canned, Received } from '../adapters/kubernetes/canned-server.ts';
import { until } from '../relay/fake-app.ts';
import { defined } from '../../shared/core/defined.ts';

const podJson = (name: string, { uid = `uid-${name}`, version = '1', phase = 'Pending' } = {}) => ({
  metadata: { namespace: 'default', name, uid, resourceVersion: version, generation: 1 },
  status: { phase },
});
const list = (version: string, items: readonly object[], next?: string): Canned => ({
  body: {
    kind: 'PodList',
    apiVersion: 'v1',
    metadata: { resourceVersion: version, ...defined({ continue: next }) },
    items,
  },
});
const line = (type: string, object: object): string => `${JSON.stringify({ type, object })}\n`;
const bookmark = (version: string): string => line('BOOKMARK', { metadata: { resourceVersion: version } });

type Watching = (response: ServerResponse, version: string) => void;

/** Each list and each watch gets the next of the given answers; the last one again and again. */
async function reflecting(lists: readonly Canned[], watches: readonly Watching[]) {
  const counts = { lists: 0, watches: 0 };
  const answer = ({ url }: Received, response: ServerResponse): Canned | undefined => {
    if (url.searchParams.get('watch') === 'true') {
      const watch = watches[Math.min(counts.watches, watches.length - 1)];
      counts.watches += 1;
      response.writeHead(200, { 'content-type': 'application/json' });
      response.flushHeaders();
      watch?.(response, url.searchParams.get('resourceVersion') ?? '');
      return undefined;
    }
    const canned = lists[Math.min(counts.lists, lists.length - 1)];
    counts.lists += 1;
    return canned ?? { status: 500 };
  };
  const server = await cannedServer(answer);
  const snapshots: string[][] = [];
  const changes: string[] = [];
  const stop = new AbortController();
  const note = (): void => undefined;
  const reflector = new Reflector({
    client: server.client,
    node: 'aci-1',
    sink: {
      onSnapshot: (pods) => void snapshots.push(pods.map(({ uid }) => uid).toSorted()),
      onChange: (pod) => void changes.push(pod.uid),
    },
    log: { info: note, warn: note },
    random: () => 0,
  });
  const ended = reflector.run(stop.signal);
  return {
    server,
    counts,
    snapshots,
    changes,
    reflector,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await ended;
      await server[Symbol.asyncDispose]();
    },
  };
}

const quiet: Watching = () => undefined;

describe('a reflector', () => {
  it('lists page by page without a version, for its node only, and watches from there with bookmarks', async () => {
    await using world = await reflecting([list('5', [podJson('a')], 'more'), list('5', [podJson('b')])], [quiet]);
    await until('the watch', () => world.counts.watches === 1);
    expect(world.snapshots).toEqual([['uid-a', 'uid-b']]);
    expect(world.reflector.isListed).toBe(true);
    const [first, second, watch] = world.server.received.map(({ url }) => Object.fromEntries(url.searchParams));
    expect(first).toEqual({ fieldSelector: 'spec.nodeName=aci-1', limit: '100' });
    expect(second).toMatchObject({ continue: 'more' });
    expect(watch).toMatchObject({
      fieldSelector: 'spec.nodeName=aci-1',
      watch: 'true',
      resourceVersion: '5',
      allowWatchBookmarks: 'true',
      timeoutSeconds: '300',
    });
  });

  it('takes a watch that ended up again from the last version that it saw, bookmarks included', async () => {
    const versions: string[] = [];
    const ending: Watching = (response, version) => {
      versions.push(version);
      response.end(line('ADDED', podJson('a', { version: '7' })) + bookmark('9'));
    };
    await using world = await reflecting([list('5', [])], [ending, (_response, version) => versions.push(version)]);
    await until('the second watch', () => versions.length === 2);
    expect(versions).toEqual(['5', '9']);
    expect(world.changes).toEqual(['uid-a']);
    expect(world.counts.lists).toBe(1);
  });

  it.each([
    ['an ERROR event 410', (response: ServerResponse) => response.write(line('ERROR', statusBody(410, 'Expired')))],
    ['garbage', (response: ServerResponse) => response.write('<html>\n')],
    ['an object that is no pod', (response: ServerResponse) => response.write(line('ADDED', { metadata: {} }))],
  ])('lists anew after %s, and reports what is gone since', async (_what, breaking) => {
    await using world = await reflecting(
      [list('5', [podJson('a'), podJson('b')]), list('8', [podJson('b'), podJson('a', { uid: 'uid-a-2' })])],
      [breaking, quiet],
    );
    await until('the second list', () => world.snapshots.length === 2);
    expect(world.snapshots[1]).toEqual(['uid-a', 'uid-a-2', 'uid-b']);
    expect(world.reflector.size).toBe(2);
  });

  it('lists anew when a version is refused three times as if it were to come', async () => {
    await using world = await reflecting(
      [list('500', []), list('3', [podJson('a')])],
      [(response) => response.destroy(), (response) => response.destroy(), (response) => response.destroy(), quiet],
    );
    await until('the second list', () => world.snapshots.length === 2);
    expect(world.snapshots).toEqual([[], ['uid-a']]);
  });

  it('is not ready, and says nothing, while the list fails or is not whole', async () => {
    await using world = await reflecting(
      [{ status: 503, body: statusBody(503, 'ServiceUnavailable') }, list('5', [{ metadata: {} }]), list('6', [])],
      [quiet],
    );
    await until('two failures', () => world.counts.lists === 2);
    expect(world.reflector.isListed).toBe(false);
    await until('the list', () => world.reflector.isListed);
    expect(world.snapshots).toEqual([[]]);
  });

  it('reports a change once, and of the end', async () => {
    await using world = await reflecting(
      [list('5', [podJson('a')])],
      [
        (response) =>
          response.write(
            line('MODIFIED', podJson('a', { version: '6' })) +
              line('MODIFIED', podJson('a', { version: '7', phase: 'Running' })) +
              line('DELETED', podJson('a', { version: '8', phase: 'Running' })),
          ),
      ],
    );
    await until('two changes', () => world.changes.length === 2);
    expect(world.changes).toEqual(['uid-a', 'uid-a']);
    expect(world.reflector.size).toBe(0);
  });
});
