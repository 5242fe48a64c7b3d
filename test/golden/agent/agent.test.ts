import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readDocuments } from '../../../infra/cli/explain/documents.ts';
import { findPods } from '../../../infra/cli/explain/find-pods.ts';
import type { Json, JsonObject } from '../../../shared/core/json.ts';
import { explainPod } from '../../../shared/core/pod/explanation.ts';
import { placeholderReferences } from '../../../shared/core/pod/placeholders.ts';
import { formatGroup } from '../../../shared/wire/arm/group-request.ts';
import { imageConfigs } from '../../../shared/wire/registry-settings.ts';
import { agent, facts, subnetId } from '../../core/pod/fixtures.ts';
import { ordersOf, readOrders } from '../../fixtures/agent-orders.ts';
import { golden } from '../../fixtures/golden.ts';

const folder = new URL('./', import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, folder), 'utf8');

const images = imageConfigs.parse(read('images.json'));
const node = { ...facts, subnetId, agent };

/** A file of a secret volume as people read it. */
function readable(base64: string): Json {
  const text = Buffer.from(base64, 'base64').toString();
  return text.startsWith('{') ? JSON.parse(text) : text;
}

function outputOf(file: string): string {
  const found = findPods(readDocuments(file, read(file)).documents, 'default');
  const [one] = found.pods;
  if (one === undefined || found.faults.length > 0) throw new Error(`${file}: ${JSON.stringify(found.faults)}`);
  const { pod, written, namespace } = one;
  const maps = [...found.configMaps].map(([key, map]) => [key.replace(`${namespace}/`, ''), map] as const);
  const known = {
    configMaps: new Map(maps),
    images: (image: string) => {
      const config = images[image];
      return config && { ...config, digest: `sha256:${'d1'.repeat(32)}` };
    },
  };
  const resolved = placeholderReferences(pod, node, known);
  const { body, verdict, tier, tierReason, notices, refusals } = explainPod({ pod, written, facts: node, resolved });
  if (body === undefined) throw new Error(`${file} is ${verdict}: ${JSON.stringify(refusals)}`);
  for (const text of ordersOf(body).values()) readOrders(text);
  const volumes = body.volumes.map((volume): JsonObject => {
    if (!('secret' in volume)) return { ...volume };
    const files = Object.entries(volume.secret).map(([name, data]) => [name, readable(data)]);
    return { ...volume, secret: Object.fromEntries(files) };
  });
  const { properties, tags } = formatGroup({ ...body, volumes: [] });
  const shown = { tier, tierReason, notices: notices.map(({ message }) => message), tags, properties, volumes };
  return `${JSON.stringify(shown, undefined, 2)}\n`;
}

const inputs = readdirSync(folder).filter((file) => file.endsWith('.yaml'));

describe('a pod that has the agent becomes the group and the orders that are on file', () => {
  it.each(inputs)('%s', (file) => {
    const output = outputOf(file);
    expect(golden(new URL(file.replace('.yaml', '.json'), folder), output)).toBe(output);
  });

  it('has a file for each input, and no other', () => {
    const outputs = readdirSync(folder).filter((file) => file.endsWith('.json') && file !== 'images.json');
    expect(outputs.map((file) => file.replace('.json', '.yaml'))).toEqual(inputs);
  });
});
