/** `docs/parameters.md`, made of the template and the chart themselves. */
import { isMap, isScalar, parseDocument } from 'yaml';
import type { Pair, YAMLMap } from 'yaml';
import { declarationsOf } from '../infra/azure/declarations.ts';
import type { Declaration } from '../infra/azure/declarations.ts';
import { read } from './documents.ts';

const cell = (text: string): string =>
  text
    .replaceAll(/\s*\n\s*/g, ' ')
    .replaceAll('|', String.raw`\|`)
    .trim();
const row = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
const code = (text: string): string => (text === '' ? '' : `\`${text}\``);

/** `40` to `1000`; one of `512`, `2048`; a type otherwise. */
function rangeOf({ type, decorators }: Declaration): string {
  const text = decorators.join('\n');
  const [, least] = /@minValue\((\d+)\)/.exec(text) ?? [];
  const [, most] = /@maxValue\((\d+)\)/.exec(text) ?? [];
  if (least !== undefined && most !== undefined) return `${code(least)} to ${code(most)}`;
  const [, allowed] = /@allowed\(\[([^\]]*)\]\)/.exec(text) ?? [];
  return allowed === undefined
    ? code(type)
    : [...allowed.matchAll(/'?([\w.]+)'?/g)].map(([, one = '']) => code(one)).join(', ');
}

/** Parameters of the template, in its order. */
export function bicepRows(text: string): readonly string[] {
  return declarationsOf(text)
    .filter(({ kind }) => kind === 'param')
    .map((one) => row([code(one.name), rangeOf(one), one.hasDefault ? code(one.value) : 'needed', one.description]));
}

/** Of several paragraphs the last: those before are about the file. */
const commentOf = (text: string | null | undefined): string =>
  ((text ?? '').split(/\n\s*\n/).at(-1) ?? '')
    .split('\n')
    .map((line) => line.trim())
    .join(' ');

/** Values of the chart, in its order; what a comment says of a group is at the group. */
export function helmRows(text: string): readonly string[] {
  const { contents } = parseDocument(text);
  return isMap(contents) ? rowsOf(contents, '') : [];
}

function rowsOf(map: YAMLMap, prefix: string): readonly string[] {
  return (map.items as readonly Pair[]).flatMap(({ key, value }, index) => {
    if (!isScalar(key)) return [];
    const name = `${prefix}${String(key.value)}`;
    // The parser gives the comment of a map's first key to the map.
    const comment = commentOf(key.commentBefore ?? (index === 0 ? map.commentBefore : undefined));
    if (isMap(value) && value.items.length > 0 && !value.flow)
      return [row([code(name), '', comment]), ...rowsOf(value, `${name}.`)];
    return [row([code(name), code(defaultOf(value)), comment])];
  });
}

function defaultOf(value: unknown): string {
  const plain = isScalar(value) ? value.value : value;
  return plain === '' ? "''" : String(plain);
}

export const parametersPage = (): string => `# Parameters and values

Made of the template and of the chart; \`UPDATE_GOLDEN=1 npx vitest run --project unit test/docs\` writes it anew.

## Parameters of the Bicep

In a parameter file such as \`infra/azure/vnet.bicepparam\`, or as \`-p name=value\`. Values that cannot work are refused in a sentence before anything is made.

| Parameter | Values | Default | Meaning |
|---|---|---|---|
${bicepRows(read('infra/azure/main.bicep')).join('\n')}

## Values of the chart

\`attach\` gives \`clusterUid\`, \`installation\`, \`app\`, \`nodes\` and \`serving\`; others go with its \`--set\` and \`--values\`.

| Value | Default | Meaning |
|---|---|---|
${helmRows(read('infra/cluster/chart/values.yaml')).join('\n')}
`;
