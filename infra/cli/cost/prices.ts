import { defaultPrices } from '../../../shared/core/usage/summary.ts';
import type { UsagePrices } from '../../../shared/core/usage/summary.ts';
import { wrongInput } from '../stop.ts';

/** What a second costs, and whose figures these are. */
export interface Prices extends UsagePrices {
  /** `list`: the public price of Linux groups in East US; `given`: from the command line. */
  readonly source: 'list' | 'given';
}

interface PriceTexts {
  readonly cpu: string | undefined;
  readonly memory: string | undefined;
  readonly currency: string | undefined;
}

/** Both prices or none: one of another list than the other would make a sum that means nothing. */
export function parsePrices({ cpu, memory, currency }: PriceTexts): Prices {
  if (cpu === undefined && memory === undefined) {
    if (currency !== undefined && currency !== defaultPrices.currency)
      throw wrongInput(
        `the list prices are in ${defaultPrices.currency}, not in ${currency}`,
        'give --price-cpu-second and --price-gb-second in your currency',
      );
    return { ...defaultPrices, source: 'list' };
  }
  if (cpu === undefined || memory === undefined)
    throw wrongInput('only one of the two prices is given', 'give --price-cpu-second and --price-gb-second');
  return {
    currency: parseCurrency(currency ?? defaultPrices.currency),
    perCpuSecond: amount('price-cpu-second', cpu),
    perGBSecond: amount('price-gb-second', memory),
    source: 'given',
  };
}

function parseCurrency(text: string): string {
  if (/^[A-Z]{3}$/.test(text)) return text;
  throw wrongInput(`--currency wants a code, not "${text}"`, 'write it as EUR');
}

function amount(option: string, text: string): number {
  if (/^\d{1,6}(\.\d{1,12})?$/.test(text)) return Number(text);
  throw wrongInput(`--${option} wants a price for one second, not "${text}"`, 'write it as 0.0000135');
}
