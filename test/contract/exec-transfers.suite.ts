/** What an exec carries over the wire, whatever runs the containers. */
import { createHash, randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import type { ExecCloud } from '../local/aci/exec-cloud.ts';

/** In a cloud with a group `waits` whose image has a shell. */
export function describeTransfers(cloud: () => ExecCloud): void {
  it('shows a megabyte whole', async () => {
    const client = await cloud().shell('waits');
    client.type('head -c 1000000 /dev/zero | tr "\\0" x; exit\r');
    expect(await client.closed).toBe(1000);
    expect(/x{1000,}/u.exec(client.shown)?.[0]).toHaveLength(1_000_000);
  });

  it('takes two megabytes, byte for byte, from a client that does not wait', async () => {
    const bytes = randomBytes(2_000_000);
    const sum = createHash('sha256').update(bytes).digest('hex');
    expect(await (await cloud().shell('waits')).upload(bytes)).toBe(sum);
  });
}
