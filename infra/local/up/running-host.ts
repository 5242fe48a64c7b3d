import { allocatePort } from '../ports.ts';
import { appFolder } from './bundle.ts';
import { startHost } from './host.ts';
import type { UpOptions } from './options.ts';
import type { Parts } from './parts.ts';
import { RealHostControl, realHostOf } from './real-host-control.ts';

export interface RunningHost {
  readonly url: string;
  readonly adminUrl: string | undefined;
  readonly real: RealHostControl | undefined;
}

/** The stand-in, or one instance of the real host. */
export async function bringUpHost(
  { dir, functionsHost }: UpOptions,
  parts: Parts,
  report: (detail: string) => void,
): Promise<RunningHost> {
  if (functionsHost === undefined) {
    const { value } = parts.add(await startHost(dir, appFolder(dir)), 10_000);
    report(value.url);
    return { ...value, real: undefined };
  }
  const real = await RealHostControl.launch({
    ...realHostOf(dir, functionsHost),
    name: 'functions',
    port: await allocatePort(),
  });
  parts.addStop(() => real.stop(), real.failed);
  report(`${real.url}  ${functionsHost.program}`);
  return { url: real.url, adminUrl: undefined, real };
}
