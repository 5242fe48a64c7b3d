import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { liveFiles } from '../../../../shared/core/agent/files/live-files.ts';
import { inspectWhole } from '../../../../shared/core/pod/translate.ts';
import { configMap, podOf, rawContainer, secret } from '../../pod/fixtures.ts';
import { grouped, node, references } from '../fixtures.ts';

const keys = ['a', 'b.conf', 'c'] as const;
const mode = fc.option(fc.constantFrom(0o400, 0o640, 0o444), { nil: undefined });
const items = fc.option(
  fc
    .subarray([...keys], { minLength: 1 })
    .chain((chosen) =>
      fc.tuple(
        ...chosen.map((key) => fc.record({ key: fc.constant(key), path: fc.constantFrom(key, `d/${key}`), mode })),
      ),
    ),
  { nil: undefined },
);
const data = fc.dictionary(fc.constantFrom(...keys), fc.string({ maxLength: 20 }), { minKeys: 3, maxKeys: 3 });
const clean = (json: object): object => JSON.parse(JSON.stringify(json));

const volume = fc.oneof(
  fc.record({ items, defaultMode: mode }).map((more) => ({ configMap: { name: 'map', ...more } })),
  fc.record({ items, defaultMode: mode }).map((more) => ({ secret: { secretName: 'keys', ...more } })),
  fc.record({ items, defaultMode: mode }).map(({ items: chosen, defaultMode }) => ({
    projected: {
      defaultMode,
      sources: [
        { configMap: { name: 'map', items: chosen } },
        { downwardAPI: { items: [{ path: 'd/labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
        { serviceAccountToken: { path: 'token' } },
      ],
    },
  })),
);

/** Who mounts the volume: one container, or two of which one is not root. */
const users = fc.constantFrom('', '1000');

describe('the files of a live volume', () => {
  it('are, with what it was made of, those that its group was made with: paths, bytes and modes', () =>
    fc.assert(
      fc.property(
        fc.record({ volume, map: data, keys: data, user: users, fsGroup: fc.constantFrom(undefined, 2000) }),
        ({ volume: source, map, keys: held, user, fsGroup }) => {
          const pod = podOf({
            ...(fsGroup !== undefined && { securityContext: { fsGroup } }),
            volumes: [clean({ name: 'v', ...source })],
            containers: [
              rawContainer({ volumeMounts: [{ name: 'v', mountPath: '/v' }] }),
              rawContainer({ name: 'other', image: 'other', volumeMounts: [{ name: 'v', mountPath: '/v' }] }),
            ],
          });
          const facts = { ...node, agent: { ...node.agent, mode: 'always' as const } };
          const known = references(
            {},
            {
              configMaps: { map: configMap(map) },
              secrets: { keys: secret(held) },
              tokens: [{ value: 'the-token', lifetimeSeconds: 3600 }],
              images: {
                other: { ok: true, value: { entrypoint: ['/e'], cmd: [], env: {}, workingDir: '', user } },
              },
            },
          );
          const { body, install } = grouped(pod, known, facts);
          const files = install?.volumes?.find(({ name }) => name === 'v')?.files ?? [];
          const made = body.volumes.find(({ name }) => name === 'v');
          const contents = made !== undefined && 'secret' in made ? made.secret : {};
          const { scope } = inspectWhole(pod, facts, known);
          const isShared = fsGroup !== undefined && user !== '';
          const [live] = pod.spec.volumes;
          if (live === undefined) throw new Error('no volume');
          const tokens = new Map(
            (live.source.kind === 'projected' ? live.source.sources : []).flatMap((part) =>
              part.kind === 'serviceAccountToken' ? [[part, 'the-token'] as const] : [],
            ),
          );
          const given = liveFiles(scope, { volume: live, isShared, tokens });
          if (given.kind !== 'ok') throw new Error(given.message);
          const shown = given.value
            .map((file) => [file.path, file.mode, Buffer.from(file.content).toString('base64')])
            .toSorted(([left], [right]) => (String(left) < String(right) ? -1 : 1));
          expect(scope.live.has('v')).toBe(true);
          expect(shown).toEqual(files.map(({ from, path, mode: bits }) => [path, bits, contents[from]]));
        },
      ),
    ));
});
