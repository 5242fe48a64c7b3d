import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../infra/cluster/relay/config.ts';
import { parseSettings } from '../../shared/wire/settings.ts';
import { firstCells, read } from './documents.ts';

const page = read('docs/settings.md');
const source = read('shared/wire/settings.ts');

/** Members of an object schema, by their indentation. */
function membersOf(text: string, start: RegExp, indent: number): readonly string[] {
  const from = text.search(start);
  const rest = text.slice(from).split('\n').slice(1);
  const end = rest.findIndex((line) => line.search(/\S/) >= 0 && line.search(/\S/) < indent);
  const own = new RegExp(`^ {${indent}}(\\w+)[:,]`);
  return rest.slice(0, end).flatMap((line) => own.exec(line)?.[1] ?? []);
}

const sorted = (names: readonly string[]): readonly string[] => names.toSorted();

describe('docs/settings.md names the settings that there are, and no other', () => {
  it('of the app', () => {
    const names = membersOf(source, /^ {2}\.object\(\{/m, 4);
    expect(names.length).toBeGreaterThan(15);
    expect(sorted(firstCells(page, '## The app'))).toEqual(sorted(names));
  });

  it('of an image', () => {
    const names = membersOf(read('shared/wire/registry-settings.ts'), /^ {2}\.strictObject\(\{/m, 4);
    expect(names.length).toBe(6);
    expect(sorted(firstCells(page, '### An image in `IMAGE_CONFIGS`'))).toEqual(sorted(names));
  });

  it('of the roots of keys', () => {
    const names = membersOf(read('shared/wire/agent-settings.ts'), /^ {2}\.strictObject\(\{/m, 4);
    expect(names.length).toBe(2);
    expect(sorted(firstCells(page, '### The roots in `AGENT_ROOT_KEYS`'))).toEqual(sorted(names));
  });

  it('of a cluster', () => {
    const names = membersOf(source, /const clusterRegistration = /, 2);
    const relay = membersOf(source, / {2}relay: z\.strictObject/, 4).map((name) => `relay.${name}`);
    expect(relay.length).toBe(2);
    const dns = membersOf(source, /const clusterDns = /, 2).map((name) => `dns.${name}`);
    const services = membersOf(source, /const clusterServices = /, 2).map((name) => `services.${name}`);
    expect([dns.length, services.length]).toEqual([3, 2]);
    expect(sorted(firstCells(page, '### A cluster in `CLUSTERS`'))).toEqual(
      sorted([...names.filter((name) => name !== 'relay'), ...relay, ...dns, ...services]),
    );
  });

  it('of a node', () => {
    const names = membersOf(source, /const nodeRegistration = /, 2);
    expect(names.length).toBeGreaterThan(8);
    expect(sorted(firstCells(page, '### A node in `nodes`'))).toEqual(sorted(names));
  });

  it('of the relay', () => {
    const names = membersOf(read('infra/cluster/relay/config.ts'), /const schema = z\.strictObject/, 2);
    const tops = firstCells(page, '## The relay').map((name) => name.split('.')[0] ?? '');
    expect(sorted([...new Set(tops)])).toEqual(sorted(names));
  });
});

const sample = /```json\n([\s\S]*?)```/.exec(page)?.[1] ?? '';

const required = {
  INSTALLATION: 'prod-weu',
  AZURE_SUBSCRIPTION_ID: '00000000-0000-4000-8000-000000000001',
  AZURE_RESOURCE_GROUP: 'aci-pods',
  AZURE_LOCATION: 'westeurope',
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
};

describe('what docs/settings.md says of them is true', () => {
  it('the sample of CLUSTERS is taken as it is', () => {
    expect(parseSettings({ ...required, CLUSTERS: sample })).toMatchObject({ ok: true });
  });

  it('those called required are missed, and only those', () => {
    // One of the two of storage and of registrations is there: which, the page says in words.
    const parsed = parseSettings({ AzureWebJobsStorage: required.AzureWebJobsStorage, CLUSTERS: '[]' });
    const missed = parsed.ok ? [] : parsed.faults.map((fault) => fault.name);
    const reported = [...page.matchAll(/^\| `(\w+)` \|[^|]*\| required \|/gm)].map((match) => match[1] ?? '');
    const ofApp = firstCells(page, '## The app').filter((name) => reported.includes(name));
    expect(sorted(missed)).toEqual(sorted(ofApp));
  });

  it.each([
    ['ARM_ENDPOINT', 'https://management.azure.com'],
    ['ARM_CREDENTIAL', 'managed-identity'],
    ['SECURITY_POLICY', 'compatible'],
    ['AGENT_DOWNLOAD', 'auto'],
    ['AGENT_SILENCE', 'unready'],
    ['ON_CAPACITY_FAIL_AFTER_MINUTES', 0],
    ['ACI_CREATES_PER_5_MINUTES', 100],
    ['ACI_CREATES_PER_HOUR', 300],
    ['ACI_MAX_GROUP_CPU', 31],
    ['ACI_MAX_GROUP_MEMORY_GB', 240],
  ])('the default of %s', (name, value) => {
    const parsed = parseSettings({ ...required, CLUSTERS: sample });
    expect(parsed.ok ? parsed.settings : {}).toHaveProperty(name, value);
    expect(page).toMatch(new RegExp(`^\\| \`${name}\` \\|.*\\| \`${String(value)}\` \\|`, 'm'));
  });

  it('the defaults of a node', () => {
    const parsed = parseSettings({ ...required, CLUSTERS: sample });
    expect(parsed.ok ? parsed.settings.CLUSTERS[0]?.nodes[0] : undefined).toEqual({
      name: 'aci-1',
      state: 'active',
      address: '10.0.12.7',
      port: 10_250,
      cpu: '100',
      memory: '400Gi',
      pods: 100,
      taint: true,
      labels: {},
    });
  });

  it('the required members of the relay are missed', () => {
    const parsed = parseConfig('{}');
    const faults = parsed.ok ? [] : parsed.faults.map((fault) => fault.split(':')[0] ?? '');
    expect(sorted(faults)).toEqual(['app', 'clusterUid', 'kubeletClientCaFile', 'nodes', 'serving']);
  });
});
