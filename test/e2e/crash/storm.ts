/** Two hundred pods of all kinds, and what has to be true of each when the storm is over. */
import type { Judge } from '../../../infra/local/gate/call.ts';
import { drawFaults } from '../../../infra/local/gate/faults.ts';
import { random } from '../../../infra/local/sim/time/chance.ts';
import type { GateFault } from '../../../infra/local/gate/faults.ts';
import type { Expected } from './oracles.ts';
import { isOver } from './pods.ts';
import type { PodHistory } from '../pod-recorder.ts';
import type { ScriptedPod } from './pods.ts';

export interface StormPod extends ScriptedPod {
  /** Deleted while the storm is on. */
  readonly isDeleted: boolean;
  readonly isSettled: (history: PodHistory | undefined) => boolean;
  readonly expected: Omit<Expected, 'uid' | 'label'>;
}

const isGone = (history: PodHistory | undefined): boolean => history?.deleted === true;
const runs = (history: PodHistory | undefined): boolean => history?.phases.at(-1) === 'Running';

/** The `index`-th pod: of ten, six end by themselves, two serve, one fails at first, one is deleted. */
export function stormPod(index: number, next: () => number): StormPod {
  const name = `storm-${String(index).padStart(3, '0')}`;
  const runMs = 1_000 + Math.round(next() * 4_000);
  const exitCode = index % 7;
  switch (index % 10) {
    case 6:
    case 7:
      return {
        name,
        restartPolicy: 'Always',
        runs: [{}],
        isDeleted: false,
        isSettled: runs,
        expected: { puts: [1], codes: [[null]], shown: 'running' },
      };
    case 8:
      return {
        name,
        restartPolicy: 'OnFailure',
        isDeleted: false,
        isSettled: isOver,
        runs: [
          { runMs, exitCode: 1 },
          { runMs, exitCode: 0 },
        ],
        expected: { puts: [1], codes: [[1, 0]] },
      };
    case 9:
      // Deleted at some moment of its life: before its group was made it never runs at all.
      return {
        name,
        restartPolicy: 'Never',
        runs: [{}],
        isDeleted: true,
        isSettled: isGone,
        expected: { puts: [0, 1], codes: [[], [143], [137]], shown: [143, 137] },
      };
    default:
      return {
        name,
        restartPolicy: 'Never',
        runs: [{ runMs, exitCode }],
        isDeleted: false,
        isSettled: isOver,
        expected: { puts: [1], codes: [[exitCode]] },
      };
  }
}

/** Faults at a rate, and now and then a `kill -9`; counts both. */
export class Storm {
  readonly faults = new Map<string, number>();
  calls = 0;
  faulty = 0;
  kills = 0;
  readonly judge: Judge;

  constructor(options: {
    readonly seed: number;
    readonly rate: number;
    readonly mostKills: number;
    readonly callsPerKill: number;
  }) {
    const { seed, rate, mostKills, callsPerKill } = options;
    const next = random(seed + 1);
    const faults = drawFaults({ seed, rate, onFault: (kind, { world }) => this.#count(kind, world) });
    let planned = 0;
    this.judge = (call) => {
      this.calls += 1;
      if (planned < mostKills && this.calls >= (planned + 1) * callsPerKill) {
        planned += 1;
        return {
          kind: 'kill',
          moment: next() < 0.5 ? 'before' : 'after',
          done: (pid) => {
            if (pid !== undefined) this.kills += 1;
          },
        };
      }
      return faults(call);
    };
  }

  #count(kind: GateFault, world: string): void {
    this.faulty += 1;
    const key = `${world} ${kind}`;
    this.faults.set(key, (this.faults.get(key) ?? 0) + 1);
  }
}
