import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Transitions } from '../../../infra/cluster/relay/app/transitions.ts';
import { request } from '../../../shared/adapters/kubernetes/http.ts';
import { resourceOf } from '../../../shared/adapters/kubernetes/path.ts';
import { telemetryConfiguration } from '../../../shared/adapters/telemetry/configuration.ts';
import { createPipeline } from '../../../shared/adapters/telemetry/pipeline.ts';
import { silentTelemetry } from '../../../shared/adapters/telemetry/silent.ts';
import { createTelemetry } from '../../../shared/adapters/telemetry/telemetry.ts';
import { parseTraceparent } from '../../../shared/core/telemetry/traceparent.ts';
import type { OutsideCall, Telemetry } from '../../../shared/ports/telemetry.ts';
import { parsePodEvents } from '../../../shared/wire/relay-protocol/pod-events.ts';
import { cannedServer } from '../kubernetes/canned-server.ts';
import { Collector } from './collector.ts';
import { defined } from '../../../shared/core/defined.ts';

let collector: Collector;
let nowMs = 0;
const warnings: string[] = [];
const log = { info: () => undefined, warn: (message: string) => void warnings.push(message) };

// Loading takes its own time, on a busy machine more than a flush may.
beforeAll(() =>
  Promise.all([import('@opentelemetry/exporter-trace-otlp-http'), import('@opentelemetry/exporter-metrics-otlp-http')]),
);
beforeEach(async () => {
  nowMs = 0;
  warnings.length = 0;
  collector = await Collector.start();
});
afterEach(() => collector.close());

const open = (environment: Readonly<Record<string, string>> = {}): Telemetry =>
  createTelemetry(telemetryConfiguration({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...environment }), {
    log,
    open: (known) => createPipeline(known, () => ({ getToken: async () => null })),
    monotonicMs: () => nowMs,
  });

const root = { parent: undefined, kind: 'server', attributes: {} } as const;

describe('spans', () => {
  it('of a dropped root are all dropped', async () => {
    const telemetry = open();
    const span = telemetry.startSpan('pod.reconcile', root);
    telemetry.startSpan('arm get', { parent: span.context, kind: 'client', attributes: {} }).end({});
    span.end({ isDropped: true });
    await telemetry.flush();
    expect(collector.requests).toEqual([]);
  });

  it.each([
    { ratio: '0', spans: 0 },
    { ratio: '1', spans: 50 },
    { ratio: 'nonsense', spans: 50 },
  ])('are kept in the part that OTEL_TRACES_SAMPLER_ARG=$ratio says: $spans of 50', async ({ ratio, spans }) => {
    const telemetry = open({ OTEL_TRACES_SAMPLER_ARG: ratio });
    for (let index = 0; index < 50; index += 1) telemetry.startSpan('pod.reconcile', root).end({});
    await telemetry.flush();
    expect(collector.spans.length).toBe(spans);
  });

  it('of a trace that its beginner does not record are not recorded', async () => {
    const telemetry = open();
    const parent = parseTraceparent(`00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`);
    telemetry.startSpan('pod.reconcile', { ...root, parent }).end({});
    await telemetry.flush();
    expect(collector.spans).toEqual([]);
  });
});

describe('a traceparent in a key', () => {
  const key = { node: 'n', namespace: 'd', name: 'p', uid: 'u', resourceVersion: '1', generation: 1 };
  const good = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  it.each([
    { it: 'is taken', value: good, taken: true },
    { it: 'of a later version is taken', value: `${good.replace('00-', '01-')}-more`, taken: true },
    { it: 'of version ff is ignored', value: good.replace('00-', 'ff-'), taken: false },
    { it: 'of zeros is ignored', value: `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`, taken: false },
    { it: 'in capitals is ignored', value: good.toUpperCase(), taken: false },
    { it: 'with more than version 00 has is ignored', value: `${good}-more`, taken: false },
    { it: 'that is a number is ignored', value: 7, taken: false },
    { it: 'that is null is ignored', value: null, taken: false },
    { it: 'that is long is ignored', value: 'x'.repeat(10_000), taken: false },
  ])('that $it, and the key is handled all the same', ({ value, taken }) => {
    const body = { epoch: 'e', seq: 0, kind: 'delta', pods: [{ ...key, traceparent: value }] };
    const parsed = parsePodEvents(JSON.stringify(body));
    expect(parsed.ok && parsed.value.pods[0]?.uid).toBe('u');
    expect(parsed.ok && parsed.value.pods[0]?.traceparent).toBe(taken ? value : undefined);
  });

  it('is there for each change, valid and new, without an exporter too', () => {
    const transitions = new Transitions(silentTelemetry, Math.random);
    const given = Array.from({ length: 100 }, () => transitions.begin(key).traceparent ?? '');
    expect(new Set(given).size).toBe(100);
    expect(given.every((one) => parseTraceparent(one) !== undefined)).toBe(true);
    const zero = new Transitions(silentTelemetry, () => 0).begin(key).traceparent ?? '';
    expect(parseTraceparent(zero)).toBeDefined();
  });

  it('has its span kept for the last four changes of a pod, while the app takes none', () => {
    const ended: number[] = [];
    let begun = 0;
    const startSpan: Telemetry['startSpan'] = (...asked) => {
      const number = (begun += 1);
      const context = parseTraceparent(good);
      return { ...silentTelemetry.startSpan(...asked), context, end: () => void ended.push(number) };
    };
    const transitions = new Transitions({ ...silentTelemetry, startSpan }, Math.random);
    for (let change = 0; change < 7; change += 1) transitions.begin(key);
    expect(ended).toEqual([1, 2, 3]);
  });
});

describe('metrics', () => {
  it('of a node at rest are reported rarely: a Lease every 5 minutes, the rest every 15', async () => {
    const telemetry = open();
    for (let beat = 0; beat < 240; beat += 1) {
      telemetry.measure('serverless_kubelet.lease.age', 15 + (beat % 3), { node: 'n' });
      telemetry.measure('serverless_kubelet.arm.budget', 0.9 + (beat % 10) / 100, { bucket: 'reads' });
      telemetry.measure('serverless_kubelet.pods', 0, { node: 'n', phase: 'Running' });
      telemetry.measure('serverless_kubelet.orphans', 0, { node: 'n' });
      await telemetry.flush();
      nowMs += 15_000;
    }
    const reported = (name: string) => collector.points.filter((point) => point.name.endsWith(name)).length;
    expect({
      age: reported('lease.age'),
      budget: reported('arm.budget'),
      pods: reported('pods'),
      orphans: reported('orphans'),
    }).toEqual({ age: 12, budget: 4, pods: 0, orphans: 0 });
  });

  it('that an operator must know are reported at once, and that they are over', async () => {
    const telemetry = open();
    for (const [metric, values] of [
      ['serverless_kubelet.lease.age', [15, 45, 60, 15, 16]],
      ['serverless_kubelet.orphans', [0, 7, 7, 0, 0]],
    ] as const)
      for (const value of values) {
        telemetry.measure(metric, value, { node: 'n' });
        await telemetry.flush();
        nowMs += 15_000;
      }
    const values = (name: string) =>
      collector.points.filter((point) => point.name.endsWith(name)).map(({ value }) => value);
    expect(values('lease.age')).toEqual([15, 45, 60, 15]);
    expect(values('orphans')).toEqual([7, 0]);
  });

  it('count, record and set, and are reported once', async () => {
    const telemetry = open();
    telemetry.measure('serverless_kubelet.faults', 1, { port: 'arm', kind: 'transient' });
    telemetry.measure('serverless_kubelet.faults', 1, { port: 'arm', kind: 'transient' });
    telemetry.measure('serverless_kubelet.sweep.duration', 2.5, {});
    await telemetry.flush();
    await telemetry.flush();
    telemetry.measure('serverless_kubelet.faults', 1, { port: 'arm', kind: 'transient' });
    await telemetry.flush();
    expect(collector.points.map(({ name, kind, value }) => `${name} ${kind} ${value}`)).toEqual([
      'serverless_kubelet.faults counter 2',
      'serverless_kubelet.sweep.duration histogram 2.5',
      'serverless_kubelet.faults counter 1',
    ]);
  });
});

describe('a flush', () => {
  it('with nothing to send sends nothing', async () => {
    await open().flush();
    expect(collector.requests).toEqual([]);
  });

  it.each([
    { it: 'refuses', break: () => void (collector.status = 503) },
    { it: 'does not answer', break: () => void (collector.status = undefined) },
    { it: 'is gone', break: () => collector.close() },
  ])('to a collector that $it ends within its second, warns once a minute and asks once a minute', async (broken) => {
    const telemetry = open();
    await broken.break();
    const startedAt = performance.now();
    for (let invocation = 0; invocation < 8; invocation += 1) {
      telemetry.startSpan('pod.reconcile', root).end({});
      await telemetry.flush();
      nowMs += 10_000;
    }
    // Two attempts in 80 s, of a second each.
    expect(performance.now() - startedAt).toBeLessThan(3000);
    expect(warnings).toEqual(Array(2).fill('telemetry could not be sent; the next attempt is in a minute'));
    // An exporter may repeat a request within its second.
    expect(collector.requests.length).toBeLessThanOrEqual(4);
  });
});

describe('the configuration', () => {
  it.each([
    { it: 'nothing set', environment: {} },
    { it: 'empty values', environment: { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' } },
    {
      it: 'OpenTelemetry disabled',
      environment: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_SDK_DISABLED: 'true' },
    },
  ])('is none with $it, and telemetry is silent', ({ environment }) => {
    expect(telemetryConfiguration(environment)).toBeUndefined();
    const options = { log, open: () => Promise.reject(new Error('loaded')) };
    expect(createTelemetry(telemetryConfiguration(environment), options)).toBe(silentTelemetry);
  });

  it.each([
    { text: undefined, entra: undefined },
    { text: 'Authorization=AAD', entra: {} },
    { text: 'ClientId=c-1;Authorization=AAD', entra: { clientId: 'c-1' } },
    { text: 'ClientId=c-1', entra: undefined },
  ])('of Azure Monitor with $text asks for a token of $entra', ({ text, entra }) => {
    const environment = {
      APPLICATIONINSIGHTS_CONNECTION_STRING: 'InstrumentationKey=00000000-0000-0000-0000-000000000000',
      ...defined({ APPLICATIONINSIGHTS_AUTHENTICATION_STRING: text }),
    };
    expect(telemetryConfiguration(environment)?.azureMonitor?.entra).toEqual(entra);
  });
});

describe('calls of the API server', () => {
  it('are reported by method, resource and status, without names', async () => {
    const calls: (OutsideCall & { readonly status?: number; readonly fault?: string })[] = [];
    await using server = await cannedServer(
      { status: 403, body: { kind: 'Status', code: 403 } },
      { observe: (call) => (outcome) => void calls.push({ ...call, ...outcome }) },
    );
    const path = '/api/v1/namespaces/default/pods/secret-name/status';
    await request(server.client, { method: 'PATCH', path, query: { a: 'b' } }, () => 1, new AbortController().signal);
    expect(calls).toEqual([
      { port: 'kubernetes', method: 'PATCH', action: 'PATCH pods/status', status: 403, fault: 'denied' },
    ]);
  });

  it.each([
    ['/api/v1/nodes/aci-1', 'nodes'],
    ['/api/v1/nodes/aci-1/status', 'nodes/status'],
    ['/api/v1/pods', 'pods'],
    ['/api/v1/namespaces/kube-system', 'namespaces'],
    ['/api/v1/namespaces/d/secrets/s', 'secrets'],
    ['/api/v1/namespaces/d/serviceaccounts/s/token', 'serviceaccounts/token'],
    ['/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/aci-1', 'leases'],
    ['/apis/authentication.k8s.io/v1/tokenreviews', 'tokenreviews'],
  ])('%s is about %s', (path, resource) => expect(resourceOf(path)).toBe(resource));
});
