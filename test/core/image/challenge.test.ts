import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseChallenge } from '../../../shared/core/image/challenge.ts';

const realm = 'https://auth.example/token';

describe('a challenge', () => {
  it.each<[string, string, unknown]>([
    [
      'of Docker Hub',
      `Bearer realm="${realm}",service="registry.docker.io",scope="repository:library/nginx:pull"`,
      { kind: 'bearer', realm, service: 'registry.docker.io', scope: 'repository:library/nginx:pull' },
    ],
    [
      'with a comma in a quoted text',
      `Bearer realm="${realm}", scope="repository:a:pull,push"`,
      { kind: 'bearer', realm, scope: 'repository:a:pull,push' },
    ],
    [
      'without quotes, with spaces, in capitals',
      'BEARER Realm = https , service=s',
      { kind: 'bearer', realm: 'https', service: 's' },
    ],
    ['with an escape', String.raw`Bearer realm="a\"b"`, { kind: 'bearer', realm: 'a"b' }],
    ['Basic', 'Basic realm="Registry Realm"', { kind: 'basic' }],
    ['Basic without anything', 'Basic', { kind: 'basic' }],
    ['Bearer before Basic', `Basic realm="x", Bearer realm="${realm}"`, { kind: 'bearer', realm }],
    ['Basic after what nobody knows', 'Negotiate, Basic realm="x"', { kind: 'basic' }],
    ['the one that names a realm', `Bearer service="s", Bearer realm="${realm}"`, { kind: 'bearer', realm }],
    ['Basic where Bearer names no realm', 'Bearer service="s", Basic realm="x"', { kind: 'basic' }],
  ])('%s', (_, header, challenge) => {
    expect(parseChallenge(header)).toEqual(challenge);
  });

  it.each(['', 'Negotiate', 'Bearer', 'Bearer service="s"', '"', '<html>', 'realm="x"'])('is none: %s', (header) => {
    expect(parseChallenge(header)).toBeUndefined();
  });

  it('may be any text, however long, and takes no time', () => {
    const words = fc.constantFrom('Bearer', 'Basic', ' ', ',', '=', '"', '\\', 'realm', 'x', '\n', '\t');
    fc.assert(
      fc.property(fc.array(words, { maxLength: 5_000 }), (parts) => {
        const before = performance.now();
        parseChallenge(parts.join(''));
        expect(performance.now() - before).toBeLessThan(500);
      }),
    );
  });

  it('gives back what was quoted', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 200 }), (text) => {
        fc.pre(!/[\r\n]/.test(text));
        const quoted = text.replaceAll(/["\\]/g, String.raw`\$&`);
        expect(parseChallenge(`Bearer realm="${quoted}",service="s"`)).toEqual({
          kind: 'bearer',
          realm: text,
          service: 's',
        });
      }),
    );
  });
});
