import { describe, expect, it } from 'vitest';
import { ByteQueue } from '../../../infra/cluster/relay/kubelet/streams/byte-queue.ts';

const bytes = (text: string): Buffer => Buffer.from(text);
const text = async (queue: ByteQueue): Promise<string | undefined> => (await queue.read())?.toString();

describe('a queue of bytes', () => {
  it('gives all that is there at once, waits while nothing is, and ends after the last', async () => {
    const queue = new ByteQueue(10);
    queue.push(bytes('a'));
    queue.push(bytes('b'));
    expect(await text(queue)).toBe('ab');
    const later = text(queue);
    queue.push(bytes('c'));
    queue.end();
    queue.push(bytes('too late'));
    expect([await later, await text(queue), await text(queue)]).toEqual(['c', undefined, undefined]);
  });

  it('has its writers wait for room, and holds what they did not wait with', async () => {
    const queue = new ByteQueue(3);
    queue.push(bytes('abcd'));
    expect(queue.isFull).toBe(true);
    let hasRoom = false;
    const waiting = (async () => {
      await queue.whenRoom();
      hasRoom = true;
    })();
    await Promise.resolve();
    expect(hasRoom).toBe(false);
    expect(await text(queue)).toBe('abcd');
    await waiting;
    expect(hasRoom).toBe(true);
  });

  it('that nobody reads holds nothing and nobody up', async () => {
    const queue = new ByteQueue(1);
    queue.push(bytes('abc'));
    const waiting = queue.whenRoom();
    queue.drop();
    await waiting;
    queue.push(bytes('more'));
    expect(queue.isFull).toBe(false);
    expect(await queue.read()).toBeUndefined();
  });
});
