import { describe, expect, it } from 'vitest';
import type { HttpFunction } from '../../../infra/local/host/definitions.ts';
import { RouteTable } from '../../../infra/local/host/route-table.ts';

function http(name: string, route: string, methods: string[] = ['GET']): HttpFunction {
  return { kind: 'http', name, route, methods, authLevel: 'anonymous' };
}

const FUNCTIONS = [
  http('pod-events', 'clusters/{cluster}/pod-events', ['POST']),
  http('b-recent', 'items/recent'),
  http('A-item', 'items/{id}'),
  http('optional', 'maybe/{x?}'),
  http('default', 'given/{x=seven}'),
  http('typed', 'typed/{id:int}'),
  http('zz-rest', 'files/{*path}'),
];

describe('a request path finds', () => {
  const table = new RouteTable(FUNCTIONS, 'api');
  it.each([
    ['its function', 'POST /api/clusters/c1/pod-events', 'pod-events', { cluster: 'c1' }],
    ['the first by name, however general', 'GET /api/items/recent', 'A-item', { id: 'recent' }],
    ['it without regard to case', 'GET /API/Items/X', 'A-item', { id: 'X' }],
    ['values as the path has them', 'GET /api/items/a%2Fb c', 'A-item', { id: 'a%2Fb c' }],
    ['it with a slash at the end', 'GET /api/items/1/', 'A-item', { id: '1' }],
    ['an optional value given', 'GET /api/maybe/1', 'optional', { x: '1' }],
    ['an optional value left out', 'GET /api/maybe', 'optional', {}],
    ['a default', 'GET /api/given', 'default', { x: 'seven' }],
    ['a constrained value by its name', 'GET /api/typed/5', 'typed', { id: '5' }],
    ['the rest of the path', 'GET /api/files/a/b/c', 'zz-rest', { path: 'a/b/c' }],
    ['an empty rest', 'GET /api/files', 'zz-rest', {}],
  ])('%s', (_sentence, request, name, params) => {
    const [, method = '', path = ''] = /^(\w+) (.*)$/.exec(request) ?? [];
    const match = table.match(method, path);
    expect(match?.target.name).toBe(name);
    expect(match?.params).toEqual(params);
  });

  it.each([
    ['another method', 'GET', '/api/clusters/c1/pod-events'],
    ['a missing prefix', 'GET', '/items/1'],
    ['a path too long', 'GET', '/api/items/1/2'],
    ['a path too short', 'GET', '/api/items'],
    ['an empty segment', 'GET', '/api/items//1'],
    ['two slashes at the end', 'GET', '/api/items/1//'],
    ['two slashes at the start', 'GET', '//api/items/1'],
    ['nothing', 'GET', '/'],
  ])('nothing for %s', (_sentence, method, path) => {
    expect(table.match(method, path)).toBeUndefined();
  });

  it('everything at the root with an empty prefix and a rest', () => {
    const root = new RouteTable([http('all', '{*path}')], '');
    expect(root.match('GET', '/')?.params).toEqual({});
    expect(root.match('GET', '/containerLogs/ns/pod/c')?.params).toEqual({ path: 'containerLogs/ns/pod/c' });
  });
});

describe('a function is refused, and only it', () => {
  it.each([
    ['with a route that begins like a built-in one', [http('a', 'administration')], /built in route/],
    ['with the route of another and a common method', [http('a', '/x/'), http('b', 'X')], /"b".*also that of "a"/],
  ])('%s', (_sentence, functions, fault) => {
    const table = new RouteTable([...functions, http('c', 'c')], 'api');
    expect(table.faults).toEqual([expect.stringMatching(fault)]);
    expect(table.match('GET', '/api/c')?.target.name).toBe('c');
  });

  it('not when the methods differ', () => {
    const table = new RouteTable([http('a', 'x'), http('b', 'x', ['PUT'])], 'api');
    expect(table.faults).toEqual([]);
    expect(table.match('PUT', '/api/x')?.target.name).toBe('b');
  });
});
