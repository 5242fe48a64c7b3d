import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseGroupBody } from '../../../infra/local/aci/group-body.ts';
import { isFault } from '../../../infra/local/aci/errors.ts';
import { validateGroup } from '../../../infra/local/aci/validation.ts';
import { podFaults } from '../../../infra/local/sim/api-server/pod-validation.ts';
import type { GroupBody } from '../../../shared/core/group/group.ts';
import type { JsonObject } from '../../../shared/core/json.ts';
import type { Pod } from '../../../shared/core/kubernetes/pod.ts';
import { readTierTags } from '../../../shared/core/agent/tier-tags.ts';
import { explainPod } from '../../../shared/core/pod/explanation.ts';
import { inspectPod } from '../../../shared/core/pod/inspect.ts';
import { placeholderReferences } from '../../../shared/core/pod/placeholders.ts';
import { valueAtField } from '../../../shared/core/pod/refused-fields.ts';
import { unreachable } from '../../../shared/core/pod/evaluation.ts';
import { translatePod } from '../../../shared/core/pod/translate.ts';
import type { NodeFacts, Translation } from '../../../shared/core/pod/translation.ts';
import { formatGroup } from '../../../shared/wire/arm/group-request.ts';
import { ordersOf, readOrders } from '../../fixtures/agent-orders.ts';
import { schemaFaults } from '../../fixtures/group-schema.ts';
import { admitted, asJson } from '../../fixtures/valid-pods/admitted.ts';
import { installed } from '../../fixtures/valid-pods/annotations.ts';
import { validPod } from '../../fixtures/valid-pods/pod.ts';
import { nothingKnown } from '../../fixtures/known.ts';
import { agent, facts, subnetId } from './fixtures.ts';

/** 2,000 in `npm test`; `VALID_PODS=100000` before a release. */
const numRuns = Number(process.env['VALID_PODS'] ?? 2000);

const inSubnet = { ...facts, subnetId };
const nodes = fc.constantFrom<NodeFacts>(
  facts,
  inSubnet,
  { ...inSubnet, securityPolicy: 'strict' },
  { ...facts, ...installed, zone: '2' },
  { ...inSubnet, ...installed },
  { ...inSubnet, grants: 'assumed' },
  { ...inSubnet, agent },
  { ...facts, agent, securityPolicy: 'strict' },
  { ...inSubnet, ...installed, agent: { ...agent, mode: 'always' } },
);

/** Of the whole pod, or of a member that it has. */
const isNamed = (field: string, pod: Pod): boolean =>
  Object.keys(pod.metadata.annotations).some((name) => field === `metadata.annotations[${name}]`) ||
  (field.startsWith('spec.') && (field.includes('[*]') || valueAtField(pod.rawSpec, field) !== undefined));

/** What of the agent's orders it would not read. */
function orderFaults(body: GroupBody): readonly string[] {
  const wrapped = [...body.initContainers, ...body.containers].filter(({ command }) => command?.[0] === '/.sk/sk');
  const orders = [...ordersOf(body).values()];
  const hasAgent = body.tags['serverless-kubelet-tier'] !== undefined;
  if (orders.length !== wrapped.length + (hasAgent ? 1 : 0))
    return [`${orders.length} documents for ${wrapped.length}`];
  return orders.flatMap((text) => {
    try {
      readOrders(text);
      return [];
    } catch (error) {
      return [`${text}: ${String(error)}`];
    }
  });
}

/** What is wrong with what became of a pod whose references are all there. */
function troubles(translation: Translation, pod: Pod): readonly string[] {
  switch (translation.kind) {
    case 'waiting':
      // As a kubelet waits for an image that would run as root.
      return translation.field !== undefined && isNamed(translation.field, pod)
        ? []
        : [`it waits: ${translation.message}`];
    case 'refused': {
      const { field, message, reason } = translation;
      const isReported = isNamed(field, pod) && message.startsWith(`${field}: `) && reason !== '';
      return isReported ? [] : [`it is refused without a field of its own: ${field}: ${reason}: ${message}`];
    }
    case 'group': {
      const body = asJson(formatGroup(translation.body));
      const parsed = parseGroupBody(body, 0);
      const fault = isFault(parsed)
        ? parsed
        : validateGroup({ name: 'g', body: parsed, undelegatedSubnets: new Set() });
      return [...schemaFaults(body), ...(fault === undefined ? [] : [fault.message]), ...orderFaults(translation.body)];
    }
    default:
      return unreachable(translation);
  }
}

describe('any pod that the API server takes', () => {
  const timeout = 60 * numRuns;
  it(
    'becomes a group that Azure’s own document lets through, or is refused by a field that it has',
    { timeout },
    () => {
      const seen = { group: 0, refused: 0, waiting: 0, T1: 0, T2: 0 };
      fc.assert(
        fc.property(validPod, nodes, (raw, node) => {
          const { json, pod } = admitted(raw);
          expect(podFaults(json)).toEqual([]);
          const translation = translatePod(pod, node, placeholderReferences(pod, node, nothingKnown));
          seen[translation.kind] += 1;
          if (translation.kind === 'group') {
            const tier = readTierTags(translation.body.tags)?.tier;
            if (tier !== undefined) seen[tier] += 1;
          }
          expect(troubles(translation, pod)).toEqual([]);
        }),
        { numRuns },
      );
      // Else the property would say nothing of one of the two.
      expect(Math.min(seen.group, seen.refused)).toBeGreaterThan(numRuns / 8);
      expect(Math.min(seen.T1, seen.T2)).toBeGreaterThan(numRuns / 500);
    },
  );

  it('is explained as it is judged: refused or not, with the same first field, and each field once', () => {
    fc.assert(
      fc.property(validPod, nodes, (raw, node) => {
        const { pod, written } = admitted(raw);
        const resolved = placeholderReferences(pod, node, nothingKnown);
        const translation = translatePod(pod, node, resolved);
        const explained = explainPod({ pod, written, facts: node, resolved });
        const blocked = translation.kind === 'group' ? undefined : translation.field;
        const fields = explained.refusals.map(({ field }) => field);
        const bySpec = inspectPod(pod, node).refusals.map(({ field }) => field);
        expect([explained.verdict === 'refused', fields[0], explained.body]).toEqual([
          blocked !== undefined,
          blocked,
          translation.kind === 'group' ? translation.body : undefined,
        ]);
        expect(fields.slice(0, bySpec.length)).toEqual(bySpec);
        expect(new Set(fields).size).toBe(fields.length);
      }),
      { numRuns: 300 },
    );
  });
});

describe('the schema', () => {
  const body = (more: JsonObject): JsonObject => ({
    location: 'westeurope',
    properties: {
      osType: 'Linux',
      containers: [{ name: 'a', properties: { image: 'b', resources: { requests: { cpu: 1, memoryInGB: 1 } } } }],
      ...more,
    },
  });
  it.each<[string, JsonObject, readonly string[]]>([
    ['lets the least through', body({}), []],
    ['knows its words', body({ colour: 'red' }), ['properties.colour: is not in the document']],
    [
      'knows what only answers have',
      body({ provisioningState: 'x' }),
      ['properties.provisioningState: is for reading only'],
    ],
    ['knows types', body({ subnetIds: 'x' }), ['properties.subnetIds: is no Sequence']],
    [
      'knows types below',
      body({ volumes: [{ name: 'v', secret: { a: 1 } }] }),
      ['properties.volumes[0].secret.a: is no String'],
    ],
    ['knows what has to be there', body({ volumes: [{ emptyDir: {} }] }), ['properties.volumes[0].name: is required']],
    [
      'knows values',
      body({ restartPolicy: 'Sometimes' }),
      ['properties.restartPolicy: is none of Always,OnFailure,Never'],
    ],
    ['wants properties', { location: 'x' }, ['.properties: is required']],
  ])('%s', (_, value, faults) => expect(schemaFaults(value)).toEqual(faults));
});
