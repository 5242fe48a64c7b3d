import type { CliContext } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import type { Remains } from './plan.ts';

/** Says of each thing whether something is left of it. Code 0 when nothing is. */
export function reportRemains(
  context: CliContext,
  result: { readonly changes: readonly string[]; readonly remains: readonly Remains[]; readonly usage: number },
): ExitCode {
  const { changes, remains, usage } = result;
  const isClean = remains.every(({ left }) => left.length === 0);
  const code = isClean ? exitCodes.done : exitCodes.failed;
  const { out } = context;
  if (out.value({ clean: isClean, changes, remains, usageRecords: usage })) return code;
  out.table(
    ['WHAT', 'LEFT'],
    remains.map(({ what, left }) => [
      what,
      left.length === 0 ? out.paint('green', 'nothing') : out.paint('red', left.join(', ')),
    ]),
  );
  if (usage > 0) out.line(`${usage} records of what ran are kept for the command cost; --purge-usage deletes them`);
  out.line(
    isClean
      ? `${changes.length === 0 ? 'nothing was attached' : changes.join(', ')}: nothing is left`
      : 'something is left: run the same command again; what stays then is not of attach, and is to be deleted by hand',
  );
  return code;
}
