import { defaultPrices } from '../../../shared/core/usage/summary.ts';
import type { UsagePrices } from '../../../shared/core/usage/summary.ts';
import type { OptionSpecs, ParsedOptions } from '../options.ts';
import { wrongInput } from '../stop.ts';

/** What a second costs, and whose figures these are. */
export interface Prices extends UsagePrices {
  /** `list`: the public price of Linux groups in East US; `given`: from the command line. */
  readonly source: 'list' | 'given';
}

/** The options that `pricesOf` reads. */
export const priceOptions: OptionSpecs = {
  'price-cpu-second': { type: 'string', value: 'X', description: 'price of one vCPU for one second' },
  'price-gb-second': { type: 'string', value: 'Y', description: 'price of one gigabyte for one second' },
  currency: { type: 'string', value: 'CODE', description: 'currency of the prices (default USD)' },
};

/** The prices that were given, or the list prices. */
export const pricesOf = (options: ParsedOptions): Prices =>
  parsePrices({
    cpu: options.text('price-cpu-second'),
    memory: options.text('price-gb-second'),
    currency: options.text('currency'),
  });

/** Two digits, or as many as small sums need to be reported from nothing. */
export function money(amount: number): string {
  if (amount === 0 || amount >= 0.01) return amount.toFixed(2);
  return amount >= 0.0001 ? amount.toFixed(4) : '<0.0001';
}

/** Whose figures they are. */
export function pricesText(prices: Prices): string {
  const each = `${price(prices.perCpuSecond)} a vCPU-second and ${price(prices.perGBSecond)} a GB-second`;
  return prices.source === 'given'
    ? `Prices as given: ${prices.currency} ${each}.`
    : `Prices are the public list prices of Linux container groups in East US (${prices.currency} ${each}): your region and contract may have others, give them with --price-cpu-second and --price-gb-second.`;
}

/** No exponent, no trailing zeros. */
const price = (value: number): string => value.toFixed(12).replace(/\.?0+$/, '');

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
