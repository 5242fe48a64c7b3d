/** What Azure Monitor's ingestion receives: the queries of the workbook and of the alerts rely on this form. */
import { describe, expect, it } from 'vitest';
import { createPipeline } from '../../../shared/adapters/telemetry/pipeline.ts';
import { telemetryConfiguration } from '../../../shared/adapters/telemetry/configuration.ts';
import { createTelemetry } from '../../../shared/adapters/telemetry/telemetry.ts';
import { Ingestion } from './ingestion.ts';

async function send(): Promise<Ingestion> {
  const ingestion = await Ingestion.start();
  const configuration = telemetryConfiguration({
    WEBSITE_SITE_NAME: 'my-app',
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'Authorization=AAD;ClientId=c-1',
    APPLICATIONINSIGHTS_CONNECTION_STRING: `InstrumentationKey=00000000-0000-4000-8000-000000000001;IngestionEndpoint=${ingestion.url}`,
  });
  const warnings: unknown[] = [];
  const telemetry = createTelemetry(configuration, {
    log: { info: () => undefined, warn: (...line) => void warnings.push(line) },
    open: (known) =>
      createPipeline(known, (clientId) => ({
        getToken: async () => ({ token: `token-of-${String(clientId)}`, expiresOnTimestamp: Date.now() + 3_600_000 }),
      })),
  });
  const parent = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true };
  const attributes = { 'k8s.pod.name': 'p', fault: 'throttled' };
  const reconcile = telemetry.startSpan('pod.reconcile', { parent, kind: 'server', attributes });
  const call = telemetry.startSpan('arm create', {
    parent: reconcile.context,
    kind: 'client',
    attributes: { 'http.request.method': 'PUT', budget: 'writes', 'http.response.status_code': 429 },
  });
  call.end({ fault: 'throttled' });
  reconcile.end({});
  telemetry.measure('serverless_kubelet.lease.age', 15, { node: 'n' });
  telemetry.measure('serverless_kubelet.sweep.duration', 2, {});
  telemetry.measure('serverless_kubelet.sweep.duration', 4, {});
  await telemetry.flush();
  await expect.poll(() => ingestion.envelopes.length, { timeout: 10_000 }).toBe(4);
  await ingestion.close();
  expect(warnings).toEqual([]);
  return ingestion;
}

describe('Azure Monitor', () => {
  it('receives requests, dependencies and metrics under the name of the app, with a token of the identity', async () => {
    const { envelopes, authorizations } = await send();
    expect([...authorizations]).toEqual(['Bearer token-of-c-1']);
    expect(new Set(envelopes.map(({ tags }) => tags['ai.cloud.role']))).toEqual(new Set(['my-app']));
    const [dependency, request] = envelopes;
    expect(request?.data).toMatchObject({
      baseType: 'RequestData',
      baseData: { name: 'pod.reconcile', success: true, properties: { 'k8s.pod.name': 'p', fault: 'throttled' } },
    });
    expect(request?.tags).toMatchObject({
      'ai.operation.id': 'a'.repeat(32),
      'ai.operation.parentId': 'b'.repeat(16),
    });
    expect(dependency?.tags['ai.operation.id']).toBe('a'.repeat(32));
    expect(dependency?.data).toMatchObject({
      baseType: 'RemoteDependencyData',
      baseData: { name: 'arm create', resultCode: '429', success: false, properties: { budget: 'writes' } },
    });
    expect(envelopes.slice(2).map(({ data }) => data.baseData)).toMatchObject([
      { metrics: [{ name: 'serverless_kubelet.lease.age', value: 15, count: 1 }], properties: { node: 'n' } },
      { metrics: [{ name: 'serverless_kubelet.sweep.duration', value: 6, count: 2, min: 2, max: 4 }] },
    ]);
  });

  it('takes 0.7 kB for a record of a metric, by which docs/observe.md reckons an idle month', async () => {
    const { envelopes } = await send();
    const largest = Math.max(...envelopes.slice(2).map((envelope) => JSON.stringify(envelope).length));
    expect(largest).toBeLessThan(700);
  });
});
