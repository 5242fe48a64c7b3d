import { initialWindow, largestWindow } from './limits.ts';

/** How much the other side has said that it takes, of a stream or of the whole connection. */
export class SendWindow {
  #left: number;

  constructor(size = initialWindow) {
    this.#left = size;
  }

  /** Below 0 when more was sent before anybody spoke of windows. */
  get left(): number {
    return this.#left;
  }

  sent(bytes: number): void {
    this.#left -= bytes;
  }

  /** A WINDOW_UPDATE, or the difference of two SETTINGS. False: the window would be larger than there can be. */
  grow(delta: number): boolean {
    this.#left += delta;
    return this.#left <= largestWindow;
  }
}

/** How much was taken in since the other side last heard of it. */
export class ReceiveWindow {
  #taken = 0;

  /** What a WINDOW_UPDATE is to say now; 0: none is needed yet. */
  take(bytes: number): number {
    this.#taken += bytes;
    if (this.#taken < initialWindow / 2) return 0;
    const delta = this.#taken;
    this.#taken = 0;
    return delta;
  }
}
