import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apply, createNamespace, dir, field, groups, kubectl, output, pod, podSpec, record, until } from './cloud.ts';

const namespace = 'z-detach';
const [node = ''] = record.nodes;
const script = fileURLToPath(new URL('../../../infra/local/detach.ts', import.meta.url));
const web = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: podSpec({ restartPolicy: 'Always' }) },
  },
};

/** What there is of the node: its pods, container groups, Node and Lease. */
async function left(): Promise<string> {
  const pods = await output('get', 'pods', '-A', '--field-selector', `spec.nodeName=${node}`, '-o', 'name');
  const lease = await field('lease', node, '{.metadata.name}', 'kube-node-lease');
  const names = (await groups()).map((group) => group.name).join(' ');
  return `${pods.trim()}|${names}|${await field('node', node, '{.metadata.name}')}|${lease}`;
}

/** The last file of all: afterwards the shared cloud has no node. */
describe('npm run detach', () => {
  beforeAll(async () => {
    await createNamespace(namespace);
    await apply(web, pod('single', { namespace }));
    await until(
      'pods run',
      () => output('get', 'pods', '-n', namespace, '-o', 'jsonpath={.items[*].status.phase}'),
      (phases) => phases === 'Running Running Running',
      120_000,
    );
  });

  afterAll(() => kubectl(['delete', 'namespace', namespace, '--wait=false']));

  it('takes pods, groups, Node and Lease away, and they stay away though a Deployment wants its pods', async () => {
    const detached = await promisify(execFile)(process.execPath, [script, '--dir', dir], { timeout: 200_000 });
    // With the relay's chart, what became of it and of its namespace is in between.
    expect(detached.stdout).toMatch(
      /^aci-1 removed, (?:chart uninstalled, .*, )?registration removed: nothing is left$/m,
    );
    expect(await left()).toBe('|||');
    const giveUpAt = Date.now() + 40_000;
    while (Date.now() < giveUpAt) {
      expect(await left()).toBe('|||');
      await sleep(2_000);
    }
    expect(await field('deployment', 'web', '{.spec.replicas}', namespace)).toBe('2');
    expect(await output('get', 'pods', '-n', namespace, '-o', 'jsonpath={.items[*].status.phase}')).toBe(
      'Pending Pending',
    );
  });
});
