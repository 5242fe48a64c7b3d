import { describe, expect, it } from 'vitest';
import { nodeAttributes } from '../../infra/cluster/relay/kubelet/attributes.ts';
import { pathSegments, queryOf } from '../../infra/cluster/relay/kubelet/request-path.ts';

describe('what an authorizer is asked', () => {
  it.each([
    ['GET', '/stats/summary', 'get', ['stats']],
    ['POST', '/stats', 'create', ['stats']],
    ['GET', '/metrics/resource', 'get', ['metrics']],
    ['GET', '/logs/kubelet.log', 'get', ['log']],
    ['POST', '/checkpoint/ns/pod/c', 'create', ['checkpoint']],
    ['GET', '/pods', 'get', ['pods', 'proxy']],
    ['GET', '/runningpods/', 'get', ['pods', 'proxy']],
    ['GET', '/healthz', 'get', ['healthz', 'proxy']],
    ['GET', '/healthz/ping', 'get', ['healthz', 'proxy']],
    ['GET', '/configz', 'get', ['configz', 'proxy']],
    ['HEAD', '/statusz', 'get', ['statusz', 'proxy']],
    ['GET', '/flagz', 'get', ['flagz', 'proxy']],
    ['GET', '/containerLogs/ns/pod/c', 'get', ['proxy']],
    ['GET', '/exec/ns/pod/c', 'create', ['proxy']],
    ['POST', '/exec/ns/pod/c', 'create', ['proxy']],
    ['GET', '/attach/ns/pod/c', 'create', ['proxy']],
    ['GET', '/portForward/ns/pod', 'create', ['proxy']],
    ['PUT', '/run/ns/pod/c', 'create', ['proxy']],
    ['PUT', '/debug/flags/v', 'update', ['proxy']],
    ['PATCH', '/anything', 'patch', ['proxy']],
    ['DELETE', '/anything', 'delete', ['proxy']],
    ['OPTIONS', '/constructor', 'options', ['proxy']],
    ['constructor', '/pods', 'constructor', ['pods', 'proxy']],
    ['GET', '/', 'get', ['proxy']],
  ])('%s %s: %s nodes/%s', (method, path, verb, subresources) => {
    const segments = path === '/' ? [''] : (pathSegments(path) ?? ['(refused)']);
    expect(nodeAttributes(method, segments)).toEqual({ verb, subresources });
  });
});

describe('a path', () => {
  it.each([
    ['/pods', ['pods']],
    ['/runningpods/', ['runningpods']],
    ['/containerLogs/ns/p/c?tailLines=5', ['containerLogs', 'ns', 'p', 'c']],
    ['/containerLogs/ns/p%2Ex/c', ['containerLogs', 'ns', 'p.x', 'c']],
  ])('%s is read', (path, segments) => expect(pathSegments(path)).toEqual(segments));

  it.each([
    ['/metrics/../exec/ns/p/c'],
    ['/metrics/%2e%2e/exec/ns/p/c'],
    ['/./pods'],
    ['//exec/ns/p/c'],
    ['/containerLogs//p/c'],
    ['/containerLogs/ns%2Fother/p/c'],
    ['/containerLogs/ns%5Cother/p/c'],
    ['/containerLogs/ns/p%00/c'],
    ['/containerLogs/ns/p%E0%A4/c'],
    ['http://host/pods'],
    [''],
  ])('%s is refused: what is authorized is what is routed', (path) => expect(pathSegments(path)).toBeUndefined());

  it('keeps what follows the first question mark', () => {
    expect(queryOf('/exec/a/b/c?command=a?b&command=c').getAll('command')).toEqual(['a?b', 'c']);
  });
});
