import type { Clock } from '../clock.ts';
import type { ExecDoor } from './door.ts';
import type { ExecKnobs } from './knobs.ts';
import { Sessions } from './sessions.ts';
import type { SessionOrder } from './sessions.ts';

/** Where no door is open, nobody gets further than the address: Azure's port. */
const nowhere = 'wss://localhost:19390';

const folders = { exec: 'execstream', attach: 'logstream' } as const;

/** The second half of exec and attach: what ARM hands out addresses and passwords for. */
export class ExecEndpoint {
  readonly sessions: Sessions;
  #knobs: ExecKnobs;
  #door: ExecDoor | undefined;

  constructor(clock: Clock, knobs: ExecKnobs) {
    this.sessions = new Sessions(clock);
    this.#knobs = knobs;
  }

  get knobs(): ExecKnobs {
    return this.#knobs;
  }

  /** Changes some of the knobs; resolves when the door has noticed. */
  async turn(changes: Partial<ExecKnobs>): Promise<void> {
    this.#knobs = { ...this.#knobs, ...changes };
    await this.#door?.setReachable(!this.#knobs.execUnreachable);
  }

  async setDoor(door: ExecDoor): Promise<void> {
    this.#door = door;
    await this.turn({});
  }

  /** Opens a session: what ARM answers. */
  invite(order: SessionOrder): { readonly webSocketUri: string; readonly password: string } {
    const { id, password } = this.sessions.open(order, this.#knobs.execPasswordSeconds);
    const size = order.kind === 'exec' ? `&rows=${order.size.rows}&cols=${order.size.columns}` : '';
    const path = `${folders[order.kind]}/sessionId/${id}?api-version=1.0${size}`;
    return { webSocketUri: `${this.#door?.url ?? nowhere}/${path}`, password };
  }
}
