/** Prometheus' text format, version 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/), with times of their own. */

export const prometheusContentType = 'text/plain; version=0.0.4; charset=utf-8';

export interface Sample {
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly value: number;
  /** In ms since the epoch; absent: the time of the scrape. */
  readonly atMs?: number;
}

export interface MetricFamily {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** One family after the other; one without samples is left out. */
export const prometheusText = (families: readonly MetricFamily[]): string =>
  families
    .filter(({ samples }) => samples.length > 0)
    .flatMap(({ name, type, help, samples }) => [
      `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
      `# TYPE ${name} ${type}`,
      ...samples.map((sample) => sampleLine(name, sample)),
    ])
    .map((line) => `${line}\n`)
    .join('');

function sampleLine(name: string, { labels, value, atMs }: Sample): string {
  const pairs = labels.map(([label, text]) => `${label}="${escaped(text)}"`);
  const series = pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
  return `${series} ${value}${atMs === undefined ? '' : ` ${Math.round(atMs)}`}`;
}

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
