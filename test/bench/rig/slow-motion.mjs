// Preloaded into every process of a cloud that runs in slow motion: all its clocks and timers run BENCH_SLOWNESS times
// slower, counted from BENCH_EPOCH, so that work of the processor takes that much less of the time that is measured.
import http from 'node:http';
import https from 'node:https';

const slowness = Number(process.env.BENCH_SLOWNESS ?? 1);
const epochMs = Number(process.env.BENCH_EPOCH ?? 0);

if (slowness > 1) {
  const RealDate = Date;
  const wallMs = () => epochMs + (RealDate.now() - epochMs) / slowness;
  globalThis.Date = class Date extends RealDate {
    constructor(...given) {
      if (given.length === 0) super(wallMs());
      else super(...given);
    }

    static now() {
      return Math.round(wallMs());
    }
  };

  const monotonic = performance.now.bind(performance);
  performance.now = () => monotonic() / slowness;

  for (const name of ['setTimeout', 'setInterval']) {
    const real = globalThis[name];
    const slowed = (callback, ms, ...rest) => real(callback, Math.min(2 ** 31 - 1, (ms ?? 0) * slowness), ...rest);
    globalThis[name] = Object.assign(slowed, real);
    Object.defineProperties(slowed, Object.getOwnPropertyDescriptors(real));
  }

  const realTimeout = AbortSignal.timeout.bind(AbortSignal);
  AbortSignal.timeout = (ms) => realTimeout(ms * slowness);

  // The servers' own Date header, and how long they keep idle connections, are made beneath these clocks.
  for (const { Server } of [http, https]) {
    const { emit } = Server.prototype;
    Server.prototype.emit = function emitWithDate(event, ...given) {
      if (event === 'listening') this.keepAliveTimeout *= slowness;
      if (event === 'request') given[1].setHeader('date', new Date().toUTCString());
      return emit.call(this, event, ...given);
    };
  }
}
