import { describe, expect, it } from 'vitest';
import { formatGroup } from '../../../shared/wire/arm/group-request.ts';
import { translated, withContainer } from './fixtures.ts';
import type { Raw } from './fixtures.ts';

const ports = [{ name: 'http', containerPort: 8080 }];
const livenessOf = (livenessProbe: Raw) =>
  translated(withContainer({ livenessProbe, ports })).body.containers[0]?.livenessProbe;
const defaults = {
  initialDelaySeconds: 0,
  periodSeconds: 10,
  timeoutSeconds: 1,
  successThreshold: 1,
  failureThreshold: 3,
};

describe('the liveness probe of a container', () => {
  it.each<[string, Raw, Raw]>([
    ['a command is run by ACI', { exec: { command: ['cat', '/tmp/ok'] } }, { exec: { command: ['cat', '/tmp/ok'] } }],
    ['a GET of a port', { httpGet: { port: 80, path: '/x' } }, { httpGet: { path: '/x', port: 80, scheme: 'http' } }],
    ['without a slash', { httpGet: { port: 80, path: 'x' } }, { httpGet: { path: '/x', port: 80, scheme: 'http' } }],
    ['of a named one', { httpGet: { port: 'http' } }, { httpGet: { path: '/', port: 8080, scheme: 'http' } }],
    ['over TLS', { httpGet: { port: 80, scheme: 'HTTPS' } }, { httpGet: { path: '/', port: 80, scheme: 'https' } }],
    [
      'at its own times',
      { exec: { command: ['a'] }, initialDelaySeconds: 5, periodSeconds: 3, timeoutSeconds: 2, failureThreshold: 1 },
      { exec: { command: ['a'] }, initialDelaySeconds: 5, periodSeconds: 3, timeoutSeconds: 2, failureThreshold: 1 },
    ],
  ])('%s', (_, probe, sent) => expect(livenessOf(probe)).toEqual({ ...defaults, ...sent }));

  it('is part of the request', () => {
    const { body } = translated(withContainer({ livenessProbe: { exec: { command: ['a'] } } }));
    expect(formatGroup(body)).toMatchObject({
      properties: { containers: [{ properties: { livenessProbe: { exec: { command: ['a'] }, ...defaults } } }] },
    });
  });
});
