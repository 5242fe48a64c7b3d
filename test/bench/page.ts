import { formatGoal, formatValue, verdictOf } from './figure.ts';
import type { Figure, Section } from './figure.ts';
import type { Machine } from './machine.ts';

/** The page of figures as Markdown: the machine first, then a table for each benchmark. */
export function renderPage(sections: readonly Section[], machine: Machine): string {
  return `${[
    '# Benchmarks',
    '',
    'The last page of `npm run bench -- --write`. Every figure comes from the journals of the stand-ins (ARM and ACI, the API server,',
    'Table storage, the Functions host) or from the operating system, none from counters of the app.',
    '',
    '| Machine | |',
    '|---|---|',
    ...machineRows(machine),
    '',
    ...sections.flatMap(renderSection),
    closing(sections),
  ].join('\n')}\n`;
}

const machineRows = (machine: Machine): string[] => [
  `| processor | ${machine.cores} × ${machine.model} |`,
  `| memory | ${machine.memoryGiB.toFixed(1)} GiB |`,
  `| load before and after | ${machine.loadBefore.toFixed(2)}, ${machine.loadAfter.toFixed(2)} (1 min) |`,
  `| Node.js | ${machine.node} |`,
  `| date | ${machine.date} |`,
  `| commit | \`${machine.commit}\` |`,
  `| took | ${Math.round(machine.tookSeconds)} s |`,
];

function renderSection({ title, method, figures }: Section): string[] {
  return [
    `## ${title}`,
    '',
    method,
    '',
    '| Figure | Measured | Goal | | Note |',
    '|---|---:|---:|---|---|',
    ...figures.map(
      (figure) =>
        `| ${figure.name} | ${formatValue(figure.value, figure.unit)} | ${formatGoal(figure)} | ${mark(figure)} | ${cell(figure.note ?? '')} |`,
    ),
    '',
  ];
}

const mark = (figure: Figure): string => ({ met: 'met', missed: '**missed**', 'no goal': '' })[verdictOf(figure)];

/** A cell of a table holds no bar and no line break. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');

export const missed = (sections: readonly Section[]): readonly Figure[] =>
  sections.flatMap((section) => section.figures.filter((figure) => verdictOf(figure) === 'missed'));

function closing(sections: readonly Section[]): string {
  const count = missed(sections).length;
  return count === 0 ? 'All goals are met.' : `${count} ${count === 1 ? 'goal is' : 'goals are'} missed.`;
}
