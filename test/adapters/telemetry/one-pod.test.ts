/** The create of one pod, from the relay's watch to ARM, as an OpenTelemetry collector sees it. */
import { keyOf } from '../../../infra/local/sim/pods/pod-key.ts';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Transitions } from '../../../infra/cluster/relay/app/transitions.ts';
import { relayTelemetry } from '../../../infra/cluster/relay/telemetry.ts';
import { createArmContainerGroups } from '../../../shared/adapters/arm/container-groups.ts';
import { telemetryConfiguration } from '../../../shared/adapters/telemetry/configuration.ts';
import { createPipeline } from '../../../shared/adapters/telemetry/pipeline.ts';
import { createTelemetry } from '../../../shared/adapters/telemetry/telemetry.ts';
import { currentLog, withLog } from '../../../shared/app/current-log.ts';
import { observeCalls } from '../../../shared/app/observe-calls.ts';
import { ok } from '../../../shared/core/fault.ts';
import type { LogFields } from '../../../shared/ports/log.ts';
import type { Telemetry } from '../../../shared/ports/telemetry.ts';
import { parsePodEvents } from '../../../shared/wire/relay-protocol/pod-events.ts';
import { createWorld } from '../../app/world.ts';
import type { World } from '../../app/world.ts';
import { Collector } from './collector.ts';

const token = 'planted-bearer-token';
const secret = 'planted-secret-of-the-environment';

/** An ARM that has no group and takes each PUT; it quotes what it was sent, as a careless server may. */
function openArm(telemetry: Telemetry, sent: string[]) {
  return createArmContainerGroups({
    subscriptionId: '11111111-1111-4111-8111-111111111111',
    resourceGroup: 'rg',
    location: 'westeurope',
    endpoint: 'https://arm.test',
    credential: { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) },
    budgets: { take: async () => ok(undefined), report: async () => undefined },
    log: currentLog,
    observe: observeCalls(telemetry),
    httpClient: {
      sendRequest: async (request) => {
        const quoted = typeof request.body === 'string' ? request.body : '';
        sent.push(`${request.method} ${quoted}`);
        const status = request.method === 'PUT' ? 201 : 404;
        const body = status === 201 ? quoted : '{"error":{"code":"ResourceNotFound","message":"none"}}';
        const headers = request.headers;
        for (const name of headers) headers.delete(name[0]);
        if (status === 201) headers.set('azure-asyncoperation', 'https://arm.test/operations/1?sig=planted-signature');
        return { request, status, headers, bodyAsText: body };
      },
    },
  });
}

let collector: Collector;
let world: World;
let telemetry: Telemetry;
const sent: string[] = [];
const logged: { readonly message: string; readonly fields: LogFields | undefined }[] = [];
const note = (message: string, fields?: LogFields): void => void logged.push({ message, fields });
const log = { info: note, warn: note };

// Loading takes its own time, on a busy machine more than a flush may.
beforeAll(() =>
  Promise.all([import('@opentelemetry/exporter-trace-otlp-http'), import('@opentelemetry/exporter-metrics-otlp-http')]),
);
beforeEach(async () => {
  sent.length = 0;
  logged.length = 0;
  collector = await Collector.start();
  const configuration = telemetryConfiguration({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  telemetry = createTelemetry(configuration, {
    log,
    open: (known) => createPipeline(known, () => ({ getToken: async () => null })),
  });
  world = await createWorld({
    wrap: (deps) => ({ ...deps, log: currentLog, telemetry, groups: openArm(telemetry, sent) }),
  });
});
afterEach(() => collector.close());

/** The relay hears of the pod, posts its key, and the app answers. */
async function createByRelay(): Promise<void> {
  const spans = relayTelemetry({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }, log);
  const transitions = new Transitions(spans, Math.random);
  world.cluster.references.putSecret({ namespace: 'default', name: 'password' }, { value: secret });
  const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'password', key: 'value' } } }];
  const pod = world.createPod('serves', { containers: [{ name: 'main', image: 'serves', env }] });
  const key = transitions.begin(keyOf(pod));
  // Through the wire, as it really goes.
  const parsed = parsePodEvents(JSON.stringify({ epoch: 'e', seq: 1, kind: 'delta', pods: [key] }));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  await withLog(log, () => world.post('delta', parsed.value.pods));
  transitions.end([key], 'taken');
  transitions.close();
  await Promise.all([telemetry.flush(), spans.flush()]);
  await expect.poll(() => collector.spans.some(({ name }) => name === 'pod.event')).toBe(true);
}

const spanOf = (name: string) => collector.spans.find((span) => span.name === name);

describe('the create of one pod', () => {
  it('is one trace: the relay, the reconcile, the PUT', async () => {
    await createByRelay();
    expect(new Set(collector.spans.map(({ traceId }) => traceId)).size).toBe(1);
    const [event, reconcile, put] = ['pod.event', 'pod.reconcile', 'arm create'].map(spanOf);
    expect(event).toMatchObject({ service: 'serverless-kubelet-relay', kind: 4 });
    expect(event?.parentSpanId ?? '').toBe('');
    expect(reconcile).toMatchObject({ service: 'serverless-kubelet', kind: 2, parentSpanId: event?.spanId });
    expect(put).toMatchObject({ kind: 3, parentSpanId: reconcile?.spanId });
    expect(put?.attributes).toMatchObject({
      'http.request.method': 'PUT',
      'http.response.status_code': 201,
      action: 'create',
      budget: 'writes',
    });
    expect(reconcile?.attributes).toMatchObject({
      'k8s.namespace.name': 'default',
      'k8s.pod.name': 'p',
      'k8s.pod.uid': world.pod()?.metadata.uid,
      'k8s.node.name': 'aci-1',
      trigger: 'event',
      outcome: 'worked',
      effects: 'read-references open-intent put-group save-row create-event patch-status',
    });
    expect(reconcile?.attributes['reason']).not.toBe('');
    expect(Number(put?.endTimeUnixNano)).toBeGreaterThanOrEqual(Number(put?.startTimeUnixNano));
  });

  it('is reported by logs that name the trace', async () => {
    await createByRelay();
    const line = logged.find(({ message }) => message === 'container group accepted');
    expect(line?.fields).toMatchObject({
      traceId: spanOf('pod.event')?.traceId,
      spanId: spanOf('pod.reconcile')?.spanId,
    });
  });

  it('is measured, from the binding on', async () => {
    await createByRelay();
    expect(collector.points).toContainEqual(
      expect.objectContaining({
        name: 'serverless_kubelet.pod.accepted.duration',
        kind: 'histogram',
        attributes: { node: 'aci-1' },
      }),
    );
  });

  it('shows no secret in any span, metric or log, and no query of a URL', async () => {
    await createByRelay();
    expect(sent.some((request) => request.startsWith('PUT') && request.includes(secret))).toBe(true);
    const reported = [...collector.bodies, JSON.stringify(logged)].join('\n');
    for (const word of [secret, Buffer.from(secret).toString('base64'), token, 'planted-signature', 'api-version'])
      expect(reported).not.toContain(word);
  });
});

describe('a sweep', () => {
  it('begins a trace of its own when it does something, and says nothing of a poll that changed nothing', async () => {
    const pod = world.createPod('serves');
    world.forgetPending();
    await world.sweep({ resync: true });
    await telemetry.flush();
    const [first] = collector.spans.filter(({ name }) => name === 'pod.reconcile');
    expect(first?.attributes).toMatchObject({ 'k8s.pod.uid': pod.metadata.uid, trigger: 'sweep' });
    expect(first?.parentSpanId ?? '').toBe('');
    collector.spans.length = 0;
    world.now += 1000;
    await world.sweep();
    await telemetry.flush();
    expect(collector.spans).toEqual([]);
  });
});
