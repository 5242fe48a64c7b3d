import { gunzipSync } from 'node:zlib';
import { createClusterApi } from '../../../shared/adapters/kubernetes/cluster-api.ts';
import { createKubernetesClient } from '../../../shared/adapters/kubernetes/http.ts';
import type { KubernetesClient } from '../../../shared/adapters/kubernetes/http.ts';
import { createNodeApi } from '../../../shared/adapters/kubernetes/node-api.ts';
import type { Result } from '../../../shared/core/fault.ts';
import type { ClusterApi, NodeApi } from '../../../shared/ports/node-api.ts';
import { makePod } from '../../fixtures/pods.ts';
import { Secrets } from '../secrets.ts';
import type { Case, CaseReport, Target } from '../target.ts';
import { documents, nodeTemplate } from './kubernetes-documents.ts';
import type { FramedAnswer, WireServer } from './kubernetes-wire.ts';
import { mutateFramed, openWireServer } from './kubernetes-wire.ts';

/** The API server's answers over a socket into the real adapters: a value or a fault, and garbage never an empty list. */
export const kubernetesAnswers: Target = {
  name: 'kubernetes',
  share: 'answers',
  cases: 6_000,
  testCases: 250,
  open: async () => {
    const server = await openWireServer();
    let token = '';
    const client = createKubernetesClient({
      server: server.url,
      getToken: async () => token,
      requestTimeoutMs: 5_000,
      userAgent: 'fuzz/1',
    });
    return {
      run: (one) => {
        const secrets = new Secrets();
        token = secrets.plant('token', '');
        return playAnswer(one, { server, client, secrets });
      },
      close: async () => {
        client.close();
        await server.close();
      },
    };
  },
};

interface Parts {
  readonly server: WireServer;
  readonly client: KubernetesClient;
  readonly secrets: Secrets;
}

const { signal } = new AbortController();
const ref = { namespace: 'default', name: 'p' };
const lease = {
  name: 'aci-1',
  resourceVersion: '7',
  holderIdentity: 'aci-1',
  leaseDurationSeconds: 40,
  renewTimeMicros: 1e15,
};

interface Apis {
  readonly node: NodeApi;
  readonly cluster: ClusterApi;
}

/** What is called, and which document answers it when all is well. */
const calls: readonly {
  readonly name: string;
  readonly document: keyof ReturnType<typeof documents>;
  readonly call: (apis: Apis, secrets: Secrets) => Promise<Result<unknown>>;
}[] = [
  { name: 'listPods', document: 'podList', call: ({ node }) => node.listPods(signal) },
  { name: 'getPod', document: 'onePod', call: ({ node }) => node.getPod(ref, signal) },
  {
    name: 'patchPodStatus',
    document: 'pod',
    call: ({ node }) => node.patchPodStatus(makePod(), makePod().status, signal),
  },
  { name: 'deletePod', document: 'success', call: ({ node }) => node.deletePod(makePod(), {}, signal) },
  { name: 'getNode', document: 'node', call: ({ node }) => node.getNode(signal) },
  { name: 'createNode', document: 'node', call: ({ node }) => node.createNode(nodeTemplate, signal) },
  { name: 'patchNodeStatus', document: 'node', call: ({ node }) => node.patchNodeStatus(nodeTemplate.status, signal) },
  { name: 'getLease', document: 'lease', call: ({ node }) => node.getLease(signal) },
  { name: 'updateLease', document: 'lease', call: ({ node }) => node.updateLease(lease, signal) },
  { name: 'getSecret', document: 'secret', call: ({ node }) => node.getSecret(ref, signal) },
  { name: 'getConfigMap', document: 'configMap', call: ({ node }) => node.getConfigMap(ref, signal) },
  { name: 'listServices', document: 'serviceList', call: ({ node }) => node.listServices('default', signal) },
  {
    name: 'createToken',
    document: 'tokenRequest',
    call: ({ node }) =>
      node.createToken(
        {
          namespace: 'default',
          serviceAccountName: 'a',
          audiences: [],
          expirationSeconds: 600,
          pod: { name: 'p', uid: 'u' },
        },
        signal,
      ),
  },
  { name: 'getClusterUid', document: 'namespace', call: ({ cluster }) => cluster.getClusterUid(signal) },
  {
    name: 'getServicesCredential',
    document: 'secret',
    call: ({ cluster }) => cluster.getServicesCredential({ namespace: 'default', name: 'services-a' }, signal),
  },
  {
    name: 'reviewToken',
    document: 'tokenReview',
    call: ({ cluster }, secrets) =>
      cluster.reviewToken(secrets.plant('reviewed token', ''), 'serverless-kubelet', signal),
  },
  {
    name: 'reviewToken',
    document: 'refusedReview',
    call: ({ cluster }, secrets) =>
      cluster.reviewToken(secrets.plant('reviewed token', ''), 'serverless-kubelet', signal),
  },
];

/** What garbage would do most harm to. */
const lists = calls.filter(({ name }) => name === 'listPods' || name === 'getPod');

async function playAnswer(one: Case, { server, client, secrets }: Parts): Promise<CaseReport> {
  const { dice, mutator } = one;
  const { name, document, call } = dice.pick(dice.chance(0.35) ? lists : calls);
  const all = documents(secrets);
  const good = dice.chance(0.8) ? { status: 200, body: all[document] } : dice.pick(all.refusals);
  const answer = mutateFramed(good, mutator);
  one.show = () => `${name}\n${secrets.mask(JSON.stringify({ ...answer, body: answer.body.toString('utf8') }))}`;
  server.answer = () => answer;
  const apis = { node: createNodeApi(client, 'aci-1'), cluster: createClusterApi(client) };
  const result = await call(apis, secrets);
  const now = client.clock.now();
  const faults = [
    ...(result.ok ? valueFaults(name, result.value, answer) : faultFaults(result, answer)),
    ...(now === undefined || Number.isFinite(now) ? [] : [`the server's clock says ${now}`]),
    ...(result.ok ? [] : secrets.findIn('a fault', JSON.stringify(result))),
  ];
  return { outcome: result.ok ? 'ok' : result.fault.kind, faults };
}

const longestWaitMs = 3_600_000;

function faultFaults({ fault }: Extract<Result<never>, { ok: false }>, { status }: FramedAnswer): readonly string[] {
  const wrongFor = (kinds: readonly string[], from: number, below: number): boolean =>
    kinds.includes(fault.kind) && (status < from || status >= below);
  return [
    ...(fault.message.length > 600 ? [`a fault of ${fault.message.length} characters`] : []),
    ...('code' in fault && fault.code.length > 600 ? [`a code of ${fault.code.length} characters`] : []),
    ...(wrongFor(['not-found', 'conflict', 'rejected', 'denied'], 400, 500)
      ? [`${status} is read as ${fault.kind}`]
      : []),
    ...(fault.kind === 'not-found' && status !== 404 ? [`${status} is read as absence`] : []),
    ...(fault.kind === 'throttled' && !(fault.retryAfterMs >= 0 && fault.retryAfterMs <= longestWaitMs)
      ? [`throttled for ${fault.retryAfterMs} ms`]
      : []),
  ];
}

type ReportedValue = (what: string, isTrue: boolean) => readonly string[];

/** What is in the answer when a value is good news, by the call. */
const proofs: Readonly<Record<string, (value: unknown, json: unknown, reported: ReportedValue) => readonly string[]>> =
  {
    listPods: (value, json, reported) =>
      reported('a list that is not the whole', Array.isArray(value) && value.length === countOf(json)),
    listServices: (_, json, reported) => reported('a list of nothing', countOf(json) !== undefined),
    getPod: (value, json, reported) => reported('absent by garbage', countOf(json) === (value === undefined ? 0 : 1)),
    getClusterUid: (value, json, reported) =>
      reported('another UID', value === member(member(json, 'metadata'), 'uid')),
    reviewToken: (value, json, reported) => {
      const status = member(json, 'status');
      const audiences = member(status, 'audiences');
      const isOurs = Array.isArray(audiences) && audiences.includes('serverless-kubelet');
      return reported(
        'believed by garbage',
        value === undefined || (isOurs && member(status, 'authenticated') === true),
      );
    },
  };

function valueFaults(name: string, value: unknown, answer: FramedAnswer): readonly string[] {
  const reported: ReportedValue = (what, isTrue) => (isTrue ? [] : [`${name}: ${what} (${answer.status})`]);
  const isAbsent = name === 'deletePod' && (answer.status === 404 || answer.status === 409);
  return [
    ...reported('ok after no success', (answer.status >= 200 && answer.status < 300) || isAbsent),
    ...(proofs[name]?.(value, jsonOf(answer), reported) ?? []),
  ];
}

function countOf(json: unknown): number | undefined {
  const items = member(json, 'items');
  return Array.isArray(items) ? items.length : undefined;
}

function jsonOf({ body, framing }: FramedAnswer): unknown {
  const bytes = framing === 'long' ? body.subarray(0, Math.max(0, body.length - 5)) : body;
  try {
    return JSON.parse((framing === 'half gzip' ? gunzipSync(bytes) : bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}

const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
