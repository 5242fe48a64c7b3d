import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assumptions } from '../../../shared/core/agent/assumptions.ts';
import type { Assumption, AssumptionId, Finding } from '../../../shared/core/agent/assumptions.ts';
import type { ProbedPlace } from '../../../shared/core/agent/findings/probed-place.ts';
import type { Pod } from '../../../shared/core/kubernetes/pod.ts';
import { placeholderReferences } from '../../../shared/core/pod/placeholders.ts';
import { valueAtField } from '../../../shared/core/pod/refused-fields.ts';
import { translatePod } from '../../../shared/core/pod/translate.ts';
import type { NodeFacts, Refusal, Translation } from '../../../shared/core/pod/translation.ts';
import { ordersOf, readOrders } from '../../fixtures/agent-orders.ts';
import { admitted } from '../../fixtures/valid-pods/admitted.ts';
import { validPod } from '../../fixtures/valid-pods/pod.ts';
import { nothingKnown } from '../../fixtures/known.ts';
import { agent, facts, subnetId } from '../pod/fixtures.ts';

const numRuns = 400;
const timeout = 120_000;
const ids = assumptions.map(({ id }) => id);
const rows: readonly (Assumption & { readonly id: AssumptionId })[] = assumptions;
const idle = rows.filter(({ refused, without }) => refused.length + without.length === 0).map(({ id }) => id);

const nodes = fc.constantFrom<NodeFacts>(
  { ...facts, subnetId, agent },
  { ...facts, agent },
  { ...facts, subnetId, agent: { ...agent, mode: 'always' } },
  { ...facts, subnetId, agent, securityPolicy: 'strict' },
  { ...facts, subnetId },
);
const of = (list: readonly AssumptionId[], outcome: Finding['outcome']): ProbedPlace['findings'] =>
  list.map((id) => ({ id, outcome }));

/** Both kinds of groups that a node may have, so that no annotation leads out of them. */
const everywhere = (findings: ProbedPlace['findings']): readonly ProbedPlace[] =>
  [subnetId, null].flatMap((subnet) =>
    ['Standard', 'Confidential'].map((sku) => ({ region: facts.location, subnet, sku, findings })),
  );

type Raw = Parameters<typeof admitted>[0];
function both(raw: Raw, node: NodeFacts, probes: readonly ProbedPlace[]): readonly [Translation, Translation] {
  const { pod } = admitted(raw);
  const resolved = placeholderReferences(pod, node, nothingKnown);
  return [translatePod(pod, node, resolved), translatePod(pod, { ...node, probes }, resolved)];
}

describe('what a probe found', () => {
  it('changes nothing of any pod where nothing fails, or fails elsewhere, or nothing follows', { timeout }, () => {
    const probes = fc.constantFrom<readonly ProbedPlace[]>(
      [],
      everywhere([]),
      everywhere(of(ids, 'holds')),
      everywhere(of(ids, 'unmeasured')),
      everywhere(of(ids, 'fails')).map((one) => ({ ...one, region: 'northeurope' })),
      everywhere(of(ids, 'fails')).map((one) => ({ ...one, subnet: '/s/other', sku: 'Dedicated' })),
      everywhere(of(idle, 'fails')),
    );
    fc.assert(
      fc.property(validPod, nodes, probes, (raw, node, found) => {
        const [before, after] = both(raw, node, found);
        expect(after).toEqual(before);
      }),
      { numRuns },
    );
  });

  it('never widens what a pod may have, and refuses by a field of it in its own words', { timeout }, () => {
    const seen = { refused: 0, group: 0 };
    fc.assert(
      fc.property(validPod, nodes, fc.subarray(ids, { minLength: 1 }), (raw, node, failed) => {
        const [before, after] = both(raw, node, everywhere(of(failed, 'fails')));
        expect(before.kind !== 'refused' || after.kind === 'refused').toBe(true);
        if (after.kind === 'group') for (const text of ordersOf(after.body).values()) readOrders(text);
        if (before.kind !== 'group' || after.kind === 'waiting') return;
        seen[after.kind] += 1;
        expect(after.kind === 'refused' ? faultsOf(after, admitted(raw).pod, failed) : []).toEqual([]);
      }),
      { numRuns },
    );
    expect(seen.refused * seen.group).toBeGreaterThan(0);
  });
});

/** What is wrong with how a pod is refused for what was found alone. */
function faultsOf({ field, message }: Refusal, pod: Pod, failed: readonly string[]): readonly string[] {
  const [, id = ''] = /probe found that .+ here \(([a-z-]+)\)/.exec(message) ?? [];
  return [
    ...(failed.includes(id) ? [] : [`it names nothing that failed: ${message}`]),
    ...(message.startsWith(`${field}: `) ? [] : [`it does not begin with its field: ${message}`]),
    ...(valueAtField(pod.rawSpec, field) === undefined ? [`the pod has no ${field}`] : []),
  ];
}
