import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TableClient } from '@azure/data-tables';
import { describe, expect, inject, it } from 'vitest';
import { dueKey, nodePartition, podRowKey } from '../../shared/adapters/tables/keys.ts';
import { createTableStore, tableName } from '../../shared/adapters/tables/table-store.ts';
import { describeStateStore } from './state-store.suite.ts';

const connectionString = inject('tableConnectionString');
const silent = { info: () => undefined, warn: () => undefined };

describeStateStore('Azure Tables (Azurite)', async () => {
  let warnings = 0;
  const installation = `test-${randomUUID()}`;
  const log = { info: () => undefined, warn: () => void (warnings += 1) };
  const raw = TableClient.fromConnectionString(connectionString, tableName(installation), {
    allowInsecureConnection: true,
  });
  return {
    store: createTableStore({ connectionString }, { installation, log }),
    other: createTableStore({ connectionString }, { installation, log: silent }),
    loseTables: () => raw.deleteTable(),
    writeGarbage: async (node, uid, text) => {
      await raw.createTable();
      await raw.upsertEntity({ partitionKey: nodePartition(node), rowKey: podRowKey(uid), body: text });
    },
    leaveDueKey: async (node, dueAt, uid) => {
      await raw.upsertEntity({ partitionKey: nodePartition(node), rowKey: dueKey(dueAt, uid), body: '' });
    },
    warnings: () => warnings,
  };
});

describe('Azure Tables that do not answer as they should', () => {
  const node = { cluster: 'c', node: 'n' };
  const open = async (status: number, headers: Record<string, string>, body: string) => {
    let requests = 0;
    const server = createServer((_, response) => {
      requests += 1;
      response.writeHead(status, headers).end(body);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve());
    });
    const { port } = server.address() as AddressInfo;
    const store = createTableStore(
      {
        connectionString: `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;TableEndpoint=http://127.0.0.1:${port}/a;`,
      },
      { installation: 'test', log: silent, timeoutMs: 2000 },
    );
    return { store, requests: () => requests, [Symbol.dispose]: () => void server.close() };
  };

  it.each([
    [503, {}, 'throttled'],
    [429, { 'retry-after': '7' }, 'throttled'],
    [500, {}, 'transient'],
    [403, {}, 'denied'],
    [302, { location: 'http://127.0.0.1:1/' }, 'transient'],
    [409, { 'content-type': 'application/json' }, 'transient'],
  ])('answers %i as %o -> %s, after one request', async (status, headers, kind) => {
    const body = status === 409 ? '{"odata.error":{"code":"TableBeingDeleted","message":{"value":"x"}}}' : '<html>';
    using server = await open(status, headers, body);
    const result = await server.store.getPod(node, 'a');
    expect(result.ok ? 'ok' : result.fault.kind).toBe(kind);
    expect(server.requests()).toBe(1);
  });

  it('says how long to wait when the service says so', async () => {
    using server = await open(429, { 'retry-after': '7' }, '');
    expect(await server.store.getPod(node, 'a')).toMatchObject({ fault: { kind: 'throttled', retryAfterMs: 7000 } });
  });

  it('answers transient when nobody listens', async () => {
    const store = createTableStore(
      {
        connectionString:
          'DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;TableEndpoint=http://127.0.0.1:1/a;',
      },
      { installation: 'test', log: silent, timeoutMs: 2000 },
    );
    const result = await store.now();
    expect(result.ok ? 'ok' : result.fault.kind).toBe('transient');
  });

  it('survives 200 with a page of HTML', async () => {
    using server = await open(200, { 'content-type': 'text/html' }, '<html>hello</html>');
    for (const result of [
      await server.store.getPod(node, 'a'),
      await server.store.listPods(node),
      await server.store.upsertNode(
        node,
        {
          resyncedAt: 1,
          countedAt: undefined,
          relayHeardAt: undefined,
          endingPods: 0,
          earliestStartMs: undefined,
          orphans: {},
          emptySince: undefined,
          usage: undefined,
        },
        undefined,
      ),
    ])
      expect(result.ok && result.value !== undefined && !Array.isArray(result.value)).toBe(false);
  });
});
