import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { labelQuery, trustAnchors } from '../../../shared/core/kubernetes/trust-bundle.ts';
import { inspectPod } from '../../../shared/core/pod/inspect.ts';
import { listReferences } from '../../../shared/core/pod/references.ts';
import { translatePod } from '../../../shared/core/pod/translate.ts';
import { facts, podOf, rawContainer, resolved, translated } from './fixtures.ts';
import type { Raw } from './fixtures.ts';

const pem = (base64: string): string => `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;

const podWith = (...bundles: readonly Raw[]) =>
  podOf({
    volumes: [{ name: 'ca', projected: { sources: bundles.map((clusterTrustBundle) => ({ clusterTrustBundle })) } }],
    containers: [rawContainer({ volumeMounts: [{ name: 'ca', mountPath: '/ca' }] })],
  });

const signed = (labelSelector?: Raw): Raw => ({
  path: 'ca.pem',
  signerName: 's/t',
  ...(labelSelector && { labelSelector }),
});
const named: Raw = { path: 'ca.pem', name: 'roots' };

function fileOf(bundle: Raw, trustBundles: Record<string, readonly string[]>): string | undefined {
  const [volume] = translated(podWith(bundle), resolved({ trustBundles })).body.volumes;
  const content = volume !== undefined && 'secret' in volume ? volume.secret['ca.pem'] : undefined;
  return content === undefined ? undefined : Buffer.from(content, 'base64').toString();
}

describe('a trust bundle', () => {
  it.each<[string, Raw, Record<string, readonly string[]>, string]>([
    ['of a name is a file of its certificates', named, { roots: [pem('AA==')] }, pem('AA==')],
    [
      'of a signer is those of all that are selected, each once, always in the same order',
      signed({}),
      { 's/t ': [`${pem('BB==')}${pem('AA==')}`, `# comment\n${pem('CC==')}${pem('AA==')}`] },
      `${pem('AA==')}${pem('BB==')}${pem('CC==')}`,
    ],
    ['that is optional and missing is an empty file', { ...named, optional: true }, { roots: [] }, ''],
    ['of a signer that is optional and selects nothing is an empty file', { ...signed(), optional: true }, {}, ''],
  ])('%s', (_, bundle, trustBundles, content) => {
    expect(fileOf(bundle, trustBundles)).toBe(content);
  });

  const zero = 'combination of signerName and labelSelector matched zero ClusterTrustBundles';
  it.each<[string, Raw, Record<string, readonly string[]>, string]>([
    [
      'its name is not there',
      named,
      { roots: [] },
      'while getting ClusterTrustBundle: clustertrustbundle.certificates.k8s.io "roots" not found',
    ],
    ['nothing has the labels', signed({ matchLabels: { a: 'b' } }), { 's/t a=b': [] }, zero],
    ['no labels are named', signed(), {}, zero],
  ])('is waited for where %s', (_, bundle, trustBundles, why) => {
    expect(translatePod(podWith(bundle), facts, resolved({ trustBundles }))).toEqual({
      kind: 'waiting',
      reason: 'FailedMount',
      message: `MountVolume.SetUp failed for volume "ca" : ${why}`,
    });
  });

  it('is waited for where the API server serves none, optional or not', () => {
    const translation = translatePod(podWith({ ...named, optional: true }), facts, resolved());
    expect(translation).toMatchObject({ reason: 'FailedMount', message: expect.stringContaining('feature gates') });
  });

  it('is read once for all that select the same, and not where nothing is selected', () => {
    const pod = podWith(named, { ...named, path: 'b' }, signed(), { ...signed({}), path: 'c' });
    expect(listReferences(pod, facts).trustBundles).toEqual([
      { kind: 'name', name: 'roots' },
      { kind: 'signer', signerName: 's/t', labels: '' },
    ]);
  });

  it('may be in a folder, or is refused there by its path', () => {
    expect(inspectPod(podWith({ ...named, path: 'etc/ca.pem' }), facts).refusals).toEqual([]);
    const both = podWith({ ...named, path: 'etc/ca.pem' }, { ...named, path: 'ca.pem' });
    expect(inspectPod(both, facts).refusal?.field).toBe('spec.volumes[0].projected.sources[0].clusterTrustBundle.path');
  });
});

describe('a label selector', () => {
  const expression = (operator: string, ...values: readonly string[]) => ({
    matchLabels: {},
    matchExpressions: [{ key: 'k', operator, values }],
  });

  it.each([
    ['of nothing selects all', { matchLabels: {}, matchExpressions: [] }, ''],
    ['that is absent selects nothing', undefined, undefined],
    ['of labels', { matchLabels: { a: 'b', c: '' }, matchExpressions: [] }, 'a=b,c='],
    ['of one of some values', expression('In', 'x', 'y'), 'k in (x,y)'],
    ['of none of some values', expression('NotIn', 'x'), 'k notin (x)'],
    ['of a key', expression('Exists'), 'k'],
    ['of no key', expression('DoesNotExist'), '!k'],
    ['of an operator that there is not selects nothing', expression('Gt', '1'), undefined],
  ])('%s', (_, selector, query) => {
    expect(labelQuery(selector)).toBe(query);
  });
});

describe('the file', () => {
  it('has lines of 64 letters, as PEM is written', () => {
    const base64 = 'A'.repeat(132);
    expect(trustAnchors([pem(base64)])).toBe(pem(`${'A'.repeat(64)}\n${'A'.repeat(64)}\nAAAA`));
  });

  it('leaves out what has no end', () => {
    expect(trustAnchors([`${pem('AA==')}-----BEGIN CERTIFICATE-----\nBB`])).toBe(pem('AA=='));
  });

  // As `pem.Decode` of Go, by which the API server has checked the others.
  const good = pem('AA==');
  it.each([
    ['whose lines are comments', good.replaceAll(/^/gm, '# ')],
    ['whose first line alone is one', `# ${good}`],
    ['that is indented', `  ${good}`],
    ['whose last line goes on', good.replace('END CERTIFICATE-----', 'END CERTIFICATE----- and more')],
    ['that is no base64', pem('A*==')],
    ['of another kind', good.replaceAll('CERTIFICATE', 'PUBLIC KEY')],
  ])('leaves out a block %s', (_, other) => {
    expect(trustAnchors([`${pem('BB==')}${other}`, `${other}${pem('BB==')}`])).toBe(pem('BB=='));
  });

  it('has those between comments, with the ends of lines of other systems and spaces behind', () => {
    const text = `root of all\n${good}\nand\n${pem('BB==')}`.replaceAll('\n', ' \r\n');
    expect(trustAnchors([text])).toBe(`${good}${pem('BB==')}`);
  });

  it('is the same however the certificates are spread over bundles', () => {
    const certificate = fc
      .uint8Array({ minLength: 1, maxLength: 100 })
      .map((der) => Buffer.from(der).toString('base64'));
    fc.assert(
      fc.property(fc.array(certificate, { maxLength: 5 }), (certificates) => {
        const texts = certificates.map(pem);
        const file = trustAnchors([texts.join('')]);
        expect(trustAnchors(texts.toReversed())).toBe(file);
        expect(trustAnchors([file])).toBe(file);
        expect(file.split('BEGIN').length - 1).toBe(new Set(certificates).size);
      }),
    );
  });
});
