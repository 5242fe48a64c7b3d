/** The orders that the app writes, read by the program that gets them: those on file, and those of any pod. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { agentFolder, findAgentGo } from '../../infra/package/agent.ts';
import { goEnvironment } from '../../infra/package/go-toolchain.ts';
import { placeholderReferences } from '../../shared/core/pod/placeholders.ts';
import { translatePod } from '../../shared/core/pod/translate.ts';
import { agent, facts, subnetId } from '../core/pod/fixtures.ts';
import { ordersOf, readOrders } from '../fixtures/agent-orders.ts';
import { nothingKnown } from '../fixtures/known.ts';
import { admitted } from '../fixtures/valid-pods/admitted.ts';
import { validPod } from '../fixtures/valid-pods/pod.ts';
import { repository, whyNoGo } from '../fixtures/agent-go.ts';

const run = promisify(execFile);
const reason = await whyNoGo();
const root = mkdtempSync(join(tmpdir(), 'agent-orders-'));
const program = join(root, 'check');
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Built as if it lay in the agent's module, whose packages nothing else may import. */
async function build(): Promise<void> {
  const cwd = agentFolder(repository);
  const [overlay, source] = [join(root, 'overlay.json'), join(import.meta.dirname, 'agent-orders', 'main.go')];
  writeFileSync(overlay, JSON.stringify({ Replace: { [join(cwd, 'check', 'main.go')]: source } }));
  await run((await findAgentGo(repository)).command, ['build', '-overlay', overlay, '-o', program, './check'], {
    cwd,
    env: goEnvironment(),
  });
}

/** Each with the agent's word of it; empty: it is read. */
async function faultsOf(documents: readonly string[]): Promise<readonly string[]> {
  const reading = run(program, { maxBuffer: 64_000_000 });
  reading.child.stdin?.end(JSON.stringify(documents));
  return z
    .array(z.string())
    .length(documents.length)
    .parse(JSON.parse((await reading).stdout));
}

const onFile = z.object({
  volumes: z.array(z.object({ secret: z.object({ orders: z.json().optional() }).optional() })),
});

function goldenOrders(): readonly string[] {
  const folder = join(repository, 'test', 'golden', 'agent');
  const files = readdirSync(folder).filter((file) => file.endsWith('.json') && file !== 'images.json');
  return files.flatMap((file) =>
    onFile
      .parse(JSON.parse(readFileSync(join(folder, file), 'utf8')))
      .volumes.flatMap(({ secret }) => (secret?.orders === undefined ? [] : [JSON.stringify(secret.orders)])),
  );
}

const node = { ...facts, subnetId, agent: { ...agent, mode: 'always' as const } };

const ordersOfPods = (pods: readonly unknown[]): readonly string[] =>
  pods.flatMap((raw) => {
    const { pod } = admitted(raw);
    const translation = translatePod(pod, node, placeholderReferences(pod, node, nothingKnown));
    return translation.kind === 'group' ? [...ordersOf(translation.body).values()] : [];
  });

type Tree = z.core.util.JSONType;

/** All values of a document, each with what puts another one in its place; undefined takes it away. */
function places(tree: Tree): readonly { readonly value: Tree; readonly put: (value: Tree | undefined) => Tree }[] {
  const inside = (value: Tree, put: (value: Tree | undefined) => Tree) => [
    { value, put },
    ...places(value).map((place) => ({ value: place.value, put: (other: Tree | undefined) => put(place.put(other)) })),
  ];
  if (Array.isArray(tree))
    return tree.flatMap((item, index) =>
      inside(item, (other) => tree.toSpliced(index, 1, ...(other === undefined ? [] : [other]))),
    );
  if (typeof tree !== 'object' || tree === null) return [];
  return Object.entries(tree).flatMap(([name, member]) =>
    inside(member, (other) => {
      const { [name]: _, ...rest } = tree;
      return other === undefined ? rest : { ...rest, [name]: other };
    }),
  );
}

const other = fc.constantFrom<Tree | undefined>(
  undefined,
  '',
  'x',
  '/a/../b',
  'a\u0000b',
  -1,
  2 ** 33,
  1.5,
  true,
  [],
  {},
  {
    template: '$(X)',
  },
);

/** One value is another one, or not there. */
const broken = (documents: readonly string[]): fc.Arbitrary<string> =>
  fc.tuple(fc.constantFrom(...documents), fc.nat(), other).map(([text, at, value]) => {
    const all = places(z.json().parse(JSON.parse(text)));
    return JSON.stringify(all[at % all.length]?.put(value));
  });

const isRead = (text: string): boolean => {
  try {
    return readOrders(text).schemaVersion === 1;
  } catch {
    return false;
  }
};

describe.skipIf(reason !== undefined)(`orders${reason === undefined ? '' : ` are not read: ${reason}`}`, () => {
  beforeAll(build, 300_000);

  it('on file are read', async () => {
    const documents = goldenOrders();
    expect(documents.length).toBeGreaterThan(30);
    expect(new Set(await faultsOf(documents))).toEqual(new Set(['']));
  });

  it('of any pod are read', async () => {
    const documents = ordersOfPods(fc.sample(validPod, 1000));
    expect(documents.length).toBeGreaterThan(300);
    expect(new Set(await faultsOf(documents))).toEqual(new Set(['']));
  });

  it('are read by the agent where these tests read them: the schema lets through nothing that is a fault there', async () => {
    const documents = fc.sample(broken(goldenOrders()), 5000);
    const read = documents.map(isRead);
    const faults = await faultsOf(documents);
    expect(documents.filter((_, index) => read[index] && faults[index] !== '')).toEqual([]);
    // Chance draws them: some five hundred of each kind.
    expect(Math.min(read.filter(Boolean).length, faults.filter((fault) => fault !== '').length)).toBeGreaterThan(250);
  });
});
