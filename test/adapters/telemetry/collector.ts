import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as z from 'zod';

const attributes = z
  .array(z.object({ key: z.string(), value: z.record(z.string(), z.unknown()) }))
  .default([])
  .transform((list) => Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]])));

const resource = z.object({ attributes });

const traces = z.object({
  resourceSpans: z.array(
    z.object({
      resource,
      scopeSpans: z.array(
        z.object({
          spans: z.array(
            z.object({
              traceId: z.string(),
              spanId: z.string(),
              parentSpanId: z.string().optional(),
              name: z.string(),
              kind: z.number(),
              startTimeUnixNano: z.string(),
              endTimeUnixNano: z.string(),
              attributes,
              status: z.object({ code: z.number().default(0), message: z.string().optional() }),
            }),
          ),
        }),
      ),
    }),
  ),
});

const points = z.object({
  dataPoints: z.array(
    z.object({
      attributes,
      asDouble: z.number().optional(),
      asInt: z.union([z.number(), z.string()]).optional(),
      sum: z.number().optional(),
      count: z.union([z.number(), z.string()]).optional(),
    }),
  ),
});

const metricData = z.object({
  resourceMetrics: z.array(
    z.object({
      resource,
      scopeMetrics: z.array(
        z.object({
          metrics: z.array(
            z.object({
              name: z.string(),
              unit: z.string(),
              gauge: points.optional(),
              sum: points.optional(),
              histogram: points.optional(),
            }),
          ),
        }),
      ),
    }),
  ),
});

type ReceivedSpan = z.infer<typeof traces>['resourceSpans'][number]['scopeSpans'][number]['spans'][number] & {
  readonly service: unknown;
};

interface ReceivedPoint {
  readonly name: string;
  readonly kind: 'gauge' | 'counter' | 'histogram';
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Of a histogram the sum. */
  readonly value: number;
}

/** An OTLP/HTTP receiver on loopback for JSON, which reads what it gets as a collector does: wrong form is a 400. */
export class Collector {
  readonly spans: ReceivedSpan[] = [];
  readonly points: ReceivedPoint[] = [];
  /** Every body, whole. */
  readonly bodies: string[] = [];
  /** `POST /v1/traces 200` */
  readonly requests: string[] = [];
  /** What it answers; undefined: nothing, ever. */
  status: number | undefined = 200;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const status =
          this.status === 200 ? this.#read(request.url ?? '', Buffer.concat(chunks).toString()) : this.status;
        this.requests.push(`${request.method ?? ''} ${request.url ?? ''} ${String(status)}`);
        if (status !== undefined) response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
      });
    });
  }

  static async start(): Promise<Collector> {
    const collector = new Collector();
    await new Promise<void>((resolve) => collector.#server.listen(0, '127.0.0.1', resolve));
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #read(path: string, body: string): number {
    this.bodies.push(body);
    const json: unknown = JSON.parse(body);
    if (path === '/v1/traces') {
      for (const { resource: from, scopeSpans } of traces.parse(json).resourceSpans)
        for (const span of scopeSpans.flatMap(({ spans }) => spans))
          this.spans.push({ ...span, service: from.attributes['service.name'] });
      return 200;
    }
    if (path !== '/v1/metrics') return 404;
    const metrics = metricData
      .parse(json)
      .resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics: some }) => some));
    for (const metric of metrics) this.#readPoints(metric);
    return 200;
  }

  #readPoints({ name, gauge, sum, histogram }: Metric): void {
    const kind = gauge === undefined ? (sum === undefined ? 'histogram' : 'counter') : 'gauge';
    for (const point of (gauge ?? sum ?? histogram)?.dataPoints ?? []) {
      const value = Number(kind === 'histogram' ? point.sum : (point.asDouble ?? point.asInt));
      this.points.push({ name, kind, attributes: point.attributes, value });
    }
  }
}

type Metric = z.infer<typeof metricData>['resourceMetrics'][number]['scopeMetrics'][number]['metrics'][number];
