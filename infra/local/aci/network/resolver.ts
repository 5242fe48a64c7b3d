import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCoreDns } from '../../cluster/coredns.ts';
import { allocatePort } from '../../ports.ts';
import { resolverCorefile } from './corefile.ts';
import type { ResolverPlace } from './group-rules.ts';
import type { NetworkKnobs } from './knobs.ts';

/** What stands for Azure's resolver on this machine. */
export interface Resolver {
  readonly place: ResolverPlace;
  /** Resolves once it answers so. */
  turn(vnetDns: NetworkKnobs['vnetDns']): Promise<void>;
  close(): Promise<void>;
}

export interface ResolverOptions {
  /** Path of CoreDNS. */
  readonly binary: string;
  /** The bridge's gateway. */
  readonly address: string;
  readonly vnetDns: NetworkKnobs['vnetDns'];
  /** Holds its configuration and its log. */
  readonly dir: string;
}

const reloadMs = 5000;

/** Starts CoreDNS on a free port of the bridge's gateway. It ends with this process. */
export async function startResolver({ binary, address, vnetDns, dir }: ResolverOptions): Promise<Resolver> {
  await mkdir(dir, { recursive: true });
  const port = await allocatePort();
  const file = join(dir, 'Corefile');
  const write = (answers: NetworkKnobs['vnetDns']): Promise<void> =>
    writeFile(file, resolverCorefile({ address, port, vnetDns: answers }));
  await write(vnetDns);
  let reloaded = Promise.withResolvers<void>();
  const child = await startCoreDns(binary, file, {
    name: 'azure-dns',
    logFile: join(dir, 'coredns.log'),
    onLine: (line) => {
      if (line.includes('Reloading complete')) reloaded.resolve();
    },
  });
  let current = vnetDns;
  return {
    place: { address, port },
    turn: async (answers) => {
      if (answers === current) return;
      current = answers;
      await write(answers);
      reloaded = Promise.withResolvers<void>();
      process.kill(child.pid, 'SIGUSR1');
      await Promise.race([reloaded.promise, sleep(reloadMs, undefined, { ref: false })]);
    },
    close: async () => {
      await child.stop(2000);
    },
  };
}
