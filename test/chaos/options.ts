/** What `npm run chaos` is asked for. */
export interface MainOptions {
  readonly seeds: readonly number[];
  readonly pods: number;
  readonly rate: number;
  readonly workers: number;
}

export const help = `npm run chaos -- [options]
Plays pods' lives on an in-memory cluster, ARM and tables, with faults in every port from one seeded source, and
then asks the oracles of docs/architecture.md. The same seed gives the same run.

  --seeds N     seeds 1 to N (100)
  --seed S      this seed alone
  --pods N      pods of each seed (1000)
  --rate R      part of the calls that something befalls (0.1)
  --workers N   seeds played at once (one for each core)
  --help`;

type Parsed =
  | { readonly kind: 'run'; readonly options: MainOptions }
  | { readonly kind: 'help' }
  | { readonly kind: 'bad'; readonly message: string };

/** Reads the command line; `cores` is how many this machine has. */
export function parseOptions(args: readonly string[], cores: number): Parsed {
  const numbers = new Map<string, number>();
  for (let index = 0; index < args.length; index += 2) {
    const name = args[index] ?? '';
    if (name === '--help' || name === '-h') return { kind: 'help' };
    if (!['--seeds', '--seed', '--pods', '--rate', '--workers'].includes(name))
      return { kind: 'bad', message: `unknown option ${name}` };
    const value = Number(args[index + 1]);
    const isWhole = name === '--rate' ? value < 1 : Number.isInteger(value) && value > 0;
    if (!(value >= 0) || !isWhole) return { kind: 'bad', message: `${name} needs a number` };
    numbers.set(name, value);
  }
  const seed = numbers.get('--seed');
  const seeds =
    seed === undefined ? Array.from({ length: numbers.get('--seeds') ?? 100 }, (_, index) => index + 1) : [seed];
  const workers = Math.min(seeds.length, numbers.get('--workers') ?? cores);
  return {
    kind: 'run',
    options: { seeds, pods: numbers.get('--pods') ?? 1000, rate: numbers.get('--rate') ?? 0.1, workers },
  };
}
