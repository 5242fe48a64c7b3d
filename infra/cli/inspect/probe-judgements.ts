import { assumptions } from '../../../shared/core/agent/assumptions.ts';
import type { Assumption } from '../../../shared/core/agent/assumptions.ts';
import { isSamePlace } from '../../../shared/core/agent/findings/probed-place.ts';
import type { ProbePlace } from '../../../shared/core/agent/findings/probed-place.ts';
import type { ProbeRecord } from '../../../shared/wire/probe-record.ts';
import { good, skipped, warned } from './check.ts';
import type { Check } from './check.ts';

const nameOf = ({ subnet }: ProbePlace): string => `probe: ${subnet?.split('/').at(-1) ?? 'no subnet'}`;

const rows: readonly Assumption[] = assumptions;

/** What follows for pods. */
function follows(failed: readonly string[]): string {
  const rowsOf = rows.filter(({ id }) => failed.includes(id));
  const list = (of: (row: Assumption) => readonly string[]): string => [...new Set(rowsOf.flatMap(of))].join(', ');
  const [refused, without] = [list((row) => row.refused), list((row) => row.without)];
  return [
    ...(refused === '' ? [] : [` Refused there: ${refused}.`]),
    ...(without === '' ? [] : [` As without the agent: ${without}.`]),
  ].join('');
}

function judgePlace(record: ProbeRecord): Check {
  const of = (outcome: string): readonly string[] =>
    record.findings.filter((one) => one.outcome === outcome).map(({ id }) => id);
  const [failed, open] = [of('fails'), of('unmeasured')];
  const said = `${failed.length === 0 ? 'nothing fails' : `${failed.join(', ')} fails`}${open.length === 0 ? '' : `; unmeasured: ${open.join(', ')}`}`;
  const found = `${record.region}, sku ${record.sku}, probed at ${record.at}: ${said}.${follows(failed)}`;
  return follows(failed) === ''
    ? good(nameOf(record), found)
    : warned(nameOf(record), found, 'docs/assumptions.md says what can be done about each; then probe again.');
}

/** What probes have found in the app's region, by place; and whether anybody has looked where its groups are. */
export function judgeProbes(records: readonly ProbeRecord[], own: ProbePlace): readonly Check[] {
  const here = records.filter(({ region }) => region === own.region);
  const isProbed = here.some((one) => isSamePlace(one, own));
  return [
    ...here.map(judgePlace),
    ...(isProbed
      ? []
      : [
          skipped(
            nameOf(own),
            `Nothing was probed in ${own.region}: what is assumed of Container Instances is taken to be so (kubectl aci probe).`,
          ),
        ]),
  ];
}
