/** Workbook, alerts and the two pages speak of what the code really says, and of all of it. */
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { metricTable } from '../../../infra/cluster/relay/metrics/metric-table.ts';
import { metricOf, metrics } from '../../../shared/core/telemetry/metrics.ts';
import type { MetricName } from '../../../shared/core/telemetry/metrics.ts';
import { firstCells } from '../../docs/documents.ts';
import { kustoFaults } from './kusto.ts';
import { messages, read, reasons } from './sources.ts';

const rule = z.strictObject({
  name: z.string().regex(/^[a-z-]{1,40}$/),
  displayName: z.string().min(5),
  description: z.string().regex(/^[A-Z].*\.$/),
  severity: z.int().min(0).max(4),
  windowSize: z.enum(['PT5M', 'PT10M', 'PT15M']),
  evaluationFrequency: z.enum(['PT5M', 'PT15M']),
  overrideQueryTimeRange: z.enum(['PT6H']).nullable(),
  query: z.string(),
  operator: z.literal('GreaterThan'),
  threshold: z.int().min(0),
  failingPeriods: z.strictObject({ minFailingPeriodsToAlert: z.int(), numberOfEvaluationPeriods: z.int() }),
});
const rules = z.array(rule).parse(JSON.parse(read('infra/azure/alerts.json')));

const item = z.object({ type: z.number(), name: z.string(), content: z.looseObject({ query: z.string().optional() }) });
const workbook = z
  .object({ version: z.literal('Notebook/1.0'), items: z.array(item), fallbackResourceIds: z.array(z.string()) })
  .parse(JSON.parse(read('infra/azure/workbook.json')));
const workbookQueries = workbook.items.flatMap(({ name, content }) =>
  content.query === undefined ? [] : [{ name: `workbook: ${name}`, query: content.query }],
);

const observe = read('docs/observe.md');
const operations = read('docs/operations.md');
const documented = [...observe.matchAll(/```kusto\n([\s\S]*?)```/g)].map((match, index) => ({
  name: `docs/observe.md: ${index + 1}`,
  query: match[1] ?? '',
}));
const queries = [
  ...rules.map(({ name, query }) => ({ name: `alert: ${name}`, query })),
  ...workbookQueries,
  ...documented,
];

/** Strings that a query compares the name of a metric, or a line's message, with. */
const metricsIn = (text: string): readonly string[] => text.match(/serverless_kubelet\.[a-z_]+(?:\.[a-z_]+)*/g) ?? [];
const messagesIn = (query: string): readonly string[] =>
  [...query.matchAll(/line\.message\) (?:==|in) (\([^)]*\)|'[^']*')/g)].flatMap((match) =>
    [...(match[1] ?? '').matchAll(/'([^']*)'/g)].map((text) => text[1] ?? ''),
  );

describe('every query', () => {
  it('is found', () => {
    expect([rules.length, workbookQueries.length > 12, documented.length]).toEqual([7, true, 4]);
  });
  it.each(queries)('$name: brackets close, tables, columns and functions are known', ({ query }) => {
    expect(kustoFaults(query)).toEqual([]);
  });
  it.each(queries)('$name: asks for metrics and log lines that the code has', ({ query }) => {
    expect(metricsIn(query).filter((name) => !(name in metrics))).toEqual([]);
    expect(messagesIn(query).filter((message) => !messages.has(message))).toEqual([]);
  });
  it.each(queries)(
    '$name: joins lines to transitions by the trace in the line: the host gives them ids of its own',
    ({ query }) => {
      const ofLines = query.split(/;|\bunion\b/).filter((part) => part.includes('AppTraces'));
      expect(ofLines.filter((part) => part.includes('OperationId'))).toEqual([]);
    },
  );
  it.each(queries)('$name: asks for attributes that the metric has', ({ query }) => {
    const named = metricsIn(query).filter((name): name is MetricName => name in metrics);
    const own = new Set(named.flatMap((name) => metricOf(name).attributes));
    const asked = [...query.matchAll(/Properties\['([^']+)'\]/g)].map((match) => match[1] ?? '');
    expect(named.length === 0 ? [] : asked.filter((name) => !own.has(name))).toEqual([]);
  });
  it.each([...rules.map(({ name, query }) => ({ name, query })), ...workbookQueries])(
    '$name: looks at this app alone',
    ({ query }) => {
      const tables = query.match(/\bApp(Metrics|Traces|Requests|Dependencies|Exceptions)\b/g) ?? [];
      expect(query.match(/AppRoleName == '(\{app\}|%APP%)'/g)?.length).toBe(tables.length);
    },
  );
});

describe('the alert app-failing', () => {
  it('counts what the app says of itself, and nothing that a caller without a token makes the host record', () => {
    const query = rules.find(({ name }) => name === 'app-failing')?.query ?? '';
    expect(messagesIn(query)).toContain('timer run failed on a bug');
    expect(query).not.toMatch(/AppExceptions|AppRequests/);
  });
});

describe('the check of queries', () => {
  it.each([
    ["AppMetrics | where (Name == 'a'", '1 brackets that do not close'],
    ["AppMetrics | where Name == 'a", 'a quote that does not end'],
    ['customMetrics | take 1', 'no known table'],
    ['AppMetrics | where Nome == 1', 'no column Nome'],
    ['AppMetrics | where Message == 1', 'no column Message'],
    ['AppMetrics | summarize percentil(Sum)', 'no function percentil'],
  ])('%s: %s', (query, fault) => expect(kustoFaults(query)).toContain(fault));
});

describe('the workbook', () => {
  it('names its queries once each, and gives each the workspace', () => {
    const names = workbook.items.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { content } of workbook.items.filter(({ type }) => type === 3))
      expect(content['crossComponentResources']).toEqual(['%WORKSPACE_ID%']);
  });
  it('has the parameters that its queries take', () => {
    const text = JSON.stringify(workbook.items);
    const parameters = new Set([...text.matchAll(/"name":"(\w+)","label"/g)].map((match) => match[1]));
    const taken = workbookQueries.flatMap(({ query }) => [...query.matchAll(/\{(\w+)\}/g)].map((match) => match[1]));
    expect(taken.filter((name) => !parameters.has(name))).toEqual([]);
  });
  it('shows each metric of the app', () => {
    const shown = new Set(workbookQueries.flatMap(({ query }) => metricsIn(query)));
    expect(Object.keys(metrics).filter((name) => !shown.has(name))).toEqual([]);
  });
});

describe('docs/observe.md', () => {
  it('has the metrics of the app, with unit, kind and attributes', () => {
    const rows = Object.keys(metrics).map((name) => {
      const { kind, unit, attributes } = metricOf(name as MetricName);
      const named = attributes.length === 0 ? 'none' : attributes.map((one) => `\`${one}\``).join(', ');
      return [`\`${name}\``, kind, `\`${unit}\``, named];
    });
    const table = [...observe.matchAll(/^\| (`serverless_kubelet\.[^|]+?) +\| (\w+) +\| (\S+) +\| ([^|]+?) +\|/gm)];
    expect(table.map((match) => match.slice(1, 5).map((cell) => cell.trim()))).toEqual(rows);
  });
  it('has the metrics of the relay', () => {
    expect(firstCells(observe, '## Metrics of the relay')).toEqual(Object.keys(metricTable));
  });
});

describe('docs/operations.md', () => {
  it('has a section for each alert, and for no other', () => {
    const alerts = operations.slice(operations.indexOf('## Alerts'), operations.indexOf('## Events of pods'));
    expect([...alerts.matchAll(/^### (.+)$/gm)].map((match) => match[1])).toEqual(rules.map(({ name }) => name));
    for (const { name, severity } of rules)
      expect(alerts).toMatch(new RegExp(`### ${name}\n\nSeverity ${severity}\\.`));
  });
  it('has each reason that the code gives, and no other', () => {
    const reported = [
      ...firstCells(operations, '## Events of pods'),
      ...firstCells(operations, '## Waiting reasons of pods'),
      ...firstCells(operations, '## Reasons of failed pods'),
      ...firstCells(operations, '## Conditions of pods'),
      ...firstCells(operations, '## Events and conditions of nodes'),
    ];
    expect(reasons.size).toBeGreaterThan(45);
    expect(reported.toSorted()).toEqual([...reasons].toSorted());
  });
  it('quotes lines of the log as they are', () => {
    expect(firstCells(operations, '## Lines of the log').filter((line) => !messages.has(line))).toEqual([]);
  });
});
