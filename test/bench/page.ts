import { formatGoal, formatValue, verdictOf } from './figure.ts';
import type { Figure, Section } from './figure.ts';
import type { Machine } from './machine.ts';

/** The page of figures as Markdown: the machine, then a table for each benchmark. */
export const renderPage = (sections: readonly Section[], machine: Machine): string =>
  assemble(
    sections.map((section) => renderSection(section, machine)),
    machine,
  );

/** The same page with these benchmarks taken anew; the others stay as they were, each says when it was taken. */
export function renewPage(page: string, sections: readonly Section[], machine: Machine): string {
  const blocks = new Map(blocksOf(page).map((block) => [titleOf(block), block]));
  for (const section of sections) blocks.set(section.title, renderSection(section, machine));
  return assemble([...blocks.values()], machine);
}

/** Each benchmark of a page, from its title to the next. */
const blocksOf = (page: string): readonly string[] =>
  page
    .split(/^(?=## )/m)
    .filter((block) => block.startsWith('## '))
    .map((block) => block.replace(closing, '').trimEnd());

const titleOf = (block: string): string => block.slice('## '.length, block.indexOf('\n'));

const closing = /^(All goals are met\.|\d+ goals? (is|are) missed\.)$/m;

function assemble(blocks: readonly string[], machine: Machine): string {
  const count = blocks.join('\n').match(/\*\*missed\*\*/g)?.length ?? 0;
  const verdict = count === 0 ? 'All goals are met.' : `${count} ${count === 1 ? 'goal is' : 'goals are'} missed.`;
  return `${[head(machine), ...blocks, verdict].join('\n\n')}\n`;
}

const head = (machine: Machine): string =>
  `# Benchmarks

The last page of \`npm run bench -- --write\`. Every figure comes from the journals of the stand-ins (ARM and ACI, the API server,
Table storage, the Functions host) or from the operating system, none from counters of the app.

| Machine | |
|---|---|
| processor | ${machine.cores} × ${machine.model} |
| memory | ${machine.memoryGiB.toFixed(1)} GiB |
| Node.js | ${machine.node} |`;

function renderSection({ title, method, figures }: Section, machine: Machine): string {
  return [
    `## ${title}`,
    '',
    method,
    '',
    `Taken ${machine.date}, commit \`${machine.commit}\`, on ${machine.cores} × ${machine.model}; load of the machine ${machine.loadBefore.toFixed(1)} before and ${machine.loadAfter.toFixed(1)} after the run.${busy(machine)}`,
    '',
    '| Figure | Measured | Goal | | Note |',
    '|---|---:|---:|---|---|',
    ...figures.map(
      (figure) =>
        `| ${figure.name} | ${formatValue(figure.value, figure.unit)} | ${formatGoal(figure)} | ${mark(figure)} | ${cell(figure.note ?? '')} |`,
    ),
  ].join('\n');
}

/** Whoever reads a time must know that others had the processors meanwhile. */
const busy = ({ loadBefore, cores }: Machine): string =>
  loadBefore > cores
    ? ' **Other work had the processors meanwhile: times are longer than those of this machine alone, and a goal missed by time alone reports little.**'
    : '';

const mark = (figure: Figure): string => ({ met: 'met', missed: '**missed**', 'no goal': '' })[verdictOf(figure)];

/** A cell of a table holds no bar and no line break. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');

export const missed = (sections: readonly Section[]): readonly Figure[] =>
  sections.flatMap((section) => section.figures.filter((figure) => verdictOf(figure) === 'missed'));
