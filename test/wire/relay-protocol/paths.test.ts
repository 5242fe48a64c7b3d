import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { containerLogsPath, containerStreamPath, podEventsPath } from '../../../shared/wire/relay-protocol/paths.ts';

const target = { node: 'aci-1', namespace: 'default', pod: 'p', uid: 'u', container: 'c' };

/** Of a function: its route, with each parameter as it is. */
const routeOf = (file: string): string => {
  const text = readFileSync(new URL(`../../../functions/${file}.ts`, import.meta.url), 'utf8');
  return /route: '([^']+)'/.exec(text)?.[1] ?? '';
};
const filled = (route: string, values: Readonly<Record<string, string>>): string =>
  `/api/${route.replaceAll(/\{\*?(\w+)\??\}/g, (_, name: string) => values[name] ?? `no ${name}`)}`;

describe("the paths of the app's functions", () => {
  it('are those of its routes', () => {
    expect(podEventsPath('uid')).toBe(filled(routeOf('pod-events'), { cluster: 'uid' }));
    const ofPart = (part: string): string => filled(routeOf('kubelet-api'), { cluster: 'uid', ...target, part });
    expect(containerLogsPath('uid', target)).toBe(ofPart('logs'));
    expect(containerStreamPath('uid', target, 'exec')).toBe(ofPart('exec'));
    expect(containerStreamPath('uid', target, 'attach')).toBe(ofPart('attach'));
    expect(containerLogsPath('uid', { ...target, tail: 7 })).toMatch(/\/logs\?tail=7$/);
  });

  it('hold a segment together, whatever is in it', () => {
    expect(containerLogsPath('a/b', { ...target, pod: '../x?y#z', container: '\ud800' })).toBe(
      '/api/clusters/a%2Fb/nodes/aci-1/pods/default/..%2Fx%3Fy%23z/u/containers/%EF%BF%BD/logs',
    );
  });
});
