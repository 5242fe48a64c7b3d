import { describe, expect, it } from 'vitest';
import { formatGoal, formatValue, verdictOf } from './figure.ts';
import type { Figure } from './figure.ts';
import { missed, renderPage, renewPage } from './page.ts';

const figure = (changes: Partial<Figure>): Figure => ({ name: 'lag', value: 5, unit: 's', ...changes });

describe('the verdict of a figure', () => {
  it.each([
    ['met at its limit', { value: 5, goal: { atMost: 5 } }, 'met'],
    ['missed beyond it', { value: 5.01, goal: { atMost: 5 } }, 'missed'],
    ['missed when it could not be measured', { value: undefined, goal: { atMost: 5 } }, 'missed'],
    ['missed when it is no number', { value: Number.NaN, goal: { atMost: 5 } }, 'missed'],
    ['met when it is just that', { value: 0, goal: { exactly: 0 } }, 'met'],
    ['missed when it is not', { value: 0.1, goal: { exactly: 0 } }, 'missed'],
    ['none without a goal', { value: 99 }, 'no goal'],
  ] as const)('%s', (_, changes, verdict) => {
    expect(verdictOf(figure(changes))).toBe(verdict);
  });
});

it.each([
  [1.2345, 's', '1.23 s'],
  [37.66, 'ms', '37.7 ms'],
  [262_656, '', '262,656'],
  [0.8145, 'USD', '$0.81'],
  [undefined, 's', 'not measured'],
] as const)('%s %s reads %s', (value, unit, text) => {
  expect(formatValue(value, unit)).toBe(text);
});

it('a goal reads as what is asked for', () => {
  expect(formatGoal(figure({ goal: { atMost: 2.5 } }))).toBe('≤ 2.50 s');
  expect(formatGoal(figure({ goal: { exactly: 0 }, unit: '' }))).toBe('0');
});

describe('the page', () => {
  const machine = {
    cores: 2,
    model: 'A processor',
    memoryGiB: 8,
    node: 'v24.0.0',
    date: '2026-11-23T12:00:00Z',
    commit: 'abc',
    loadBefore: 0.1,
    loadAfter: 1.5,
  };
  const sections = [
    {
      title: 'Lags',
      method: 'By polls.',
      figures: [
        figure({ goal: { atMost: 10 } }),
        figure({ name: 'late', value: 11, goal: { atMost: 10 }, note: 'a|b' }),
      ],
    },
  ];

  it('names the machine, and shows each figure beside its goal', () => {
    const page = renderPage(sections, machine);
    expect(page).toContain('| processor | 2 × A processor |');
    expect(page).toContain('commit `abc`, on 2 × A processor; load of the machine 0.1 before and 1.5 after the run.');
    expect(page).toContain('| lag | 5 s | ≤ 10 s | met |  |');
    expect(page).toContain('| late | 11 s | ≤ 10 s | **missed** | a\\|b |');
    expect(page.trimEnd().endsWith('1 goal is missed.')).toBe(true);
  });

  it('says so when others had the processors', () => {
    expect(renderPage(sections, machine)).not.toContain('Other work');
    expect(renderPage(sections, { ...machine, loadBefore: 9 })).toContain('**Other work had the processors meanwhile');
  });

  it('can have one benchmark taken anew, the others as they were', () => {
    const before = renderPage([...sections, { title: 'Memory', method: 'By /proc.', figures: [] }], machine);
    const again = { title: 'Lags', method: 'By polls.', figures: [figure({ value: 3, goal: { atMost: 10 } })] };
    const after = renewPage(before, [again], { ...machine, date: '2026-11-24T12:00:00Z' });
    expect(after.match(/^## .*/gm)).toEqual(['## Lags', '## Memory']);
    expect(after.match(/^Taken [^,]*/gm)).toEqual(['Taken 2026-11-24T12:00:00Z', 'Taken 2026-11-23T12:00:00Z']);
    expect(after).not.toContain('| late |');
    expect(after.trimEnd().endsWith('All goals are met.')).toBe(true);
    expect(after.match(/goals? (is|are)/g)).toHaveLength(1);
  });

  it('says which figures missed their goals', () => {
    expect(missed(sections).map(({ name }) => name)).toEqual(['late']);
  });
});
