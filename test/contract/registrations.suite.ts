import { beforeEach, describe, expect, it } from 'vitest';
import type { Result } from '../../shared/core/fault.ts';
import type { Registrations, RegistrationsRead } from '../../shared/ports/registrations.ts';
import { parseRegistrations } from '../../shared/wire/settings.ts';
import type { ClusterRegistration } from '../../shared/wire/settings.ts';
import { registration } from '../fixtures/settings.ts';

export interface RegistrationsUnderTest {
  readonly registrations: Registrations;
  /** A second client of the same document. */
  readonly other: Registrations;
  /** Puts any text there, as somebody with a portal can; undefined takes the document away. */
  write(text: string | undefined): Promise<void>;
}

const clustersOf = (...uids: readonly string[]): readonly ClusterRegistration[] => {
  const list = uids.map((uid) => ({ ...registration([{ name: 'aci-1' }]), uid }));
  const parsed = parseRegistrations(JSON.stringify({ clusters: list }));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  return parsed.clusters;
};
const one = clustersOf('7d5a3c1e-0000-4000-8000-000000000001');
const two = clustersOf('7d5a3c1e-0000-4000-8000-000000000001', '7d5a3c1e-0000-4000-8000-000000000002');

function value<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.fault.kind}: ${result.fault.message}`);
  return result.value;
}

function readOf(result: Result<RegistrationsRead>): Extract<RegistrationsRead, { kind: 'read' }> {
  const read = value(result);
  if (read.kind !== 'read') throw new Error(read.kind);
  return read;
}

const faultOf = <T>(result: Result<T>): string => (result.ok ? 'ok' : result.fault.kind);

export function describeRegistrations(name: string, open: () => Promise<RegistrationsUnderTest>): void {
  describe(`registrations: ${name}`, () => {
    let test: RegistrationsUnderTest;
    let registrations: Registrations;
    const signal = AbortSignal.timeout(60_000);
    beforeEach(async () => {
      test = await open();
      registrations = test.registrations;
    });

    it('are no clusters and no ETag while there is no document', async () => {
      expect(value(await registrations.get(undefined, signal))).toEqual({
        kind: 'read',
        etag: undefined,
        clusters: [],
      });
    });

    it('are read as they were put, with every member', async () => {
      const etag = value(await registrations.put(two, undefined, signal));
      expect(readOf(await test.other.get(undefined, signal))).toEqual({ kind: 'read', etag, clusters: two });
    });

    it('are unchanged for who knows the ETag, until somebody changes them', async () => {
      const first = value(await registrations.put(one, undefined, signal));
      expect(value(await registrations.get(first, signal))).toEqual({ kind: 'unchanged' });
      const second = value(await test.other.put(two, first, signal));
      expect(second).not.toBe(first);
      expect(readOf(await registrations.get(first, signal))).toEqual({ kind: 'read', etag: second, clusters: two });
    });

    it('are replaced only by who has read the last', async () => {
      const first = value(await registrations.put(one, undefined, signal));
      value(await test.other.put(two, first, signal));
      expect(faultOf(await registrations.put(one, first, signal))).toBe('conflict');
      expect(readOf(await registrations.get(undefined, signal)).clusters).toEqual(two);
    });

    it('are made once: the second who saw none loses', async () => {
      const results = await Promise.all([
        registrations.put(one, undefined, signal),
        test.other.put(two, undefined, signal),
      ]);
      expect(results.map(faultOf).toSorted()).toEqual(['conflict', 'ok']);
    });

    it('are not made anew by who knew them before they went', async () => {
      const first = value(await registrations.put(one, undefined, signal));
      await test.write(undefined);
      expect(faultOf(await registrations.put(two, first, signal))).toBe('conflict');
      expect(readOf(await registrations.get(first, signal))).toMatchObject({ etag: undefined, clusters: [] });
    });

    it('may be none at all', async () => {
      const etag = value(await registrations.put([], undefined, signal));
      expect(readOf(await registrations.get(undefined, signal))).toEqual({ kind: 'read', etag, clusters: [] });
    });

    it.each([
      ['no JSON', '{"clusters":[', 'registrations: valid JSON'],
      ['nothing', '', 'registrations: valid JSON'],
      ['a list', '[]', 'registrations: a JSON object'],
      ['an object without clusters', '{}', 'clusters: a JSON array of cluster registrations'],
      [
        'a cluster without a UID',
        JSON.stringify({ clusters: [{ ...registration([{ name: 'aci-1' }]), uid: 'planted' }] }),
        'clusters[0].uid: a GUID such as 00000000-0000-0000-0000-000000000000',
      ],
    ])('that are %s are refused by the name of what is wrong', async (_, text, message) => {
      await test.write(text);
      expect(await registrations.get(undefined, signal)).toEqual({
        ok: false,
        fault: { kind: 'rejected', code: 'RegistrationsInvalid', message },
      });
    });
  });
}
