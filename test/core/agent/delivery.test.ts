import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { acceptsGzip } from '../../../shared/core/agent/accepts-gzip.ts';
import { agentDelivery } from '../../../shared/core/agent/delivery.ts';
import type { DeliveryFacts } from '../../../shared/core/agent/delivery.ts';
import { downloadCommand } from '../../../shared/core/agent/download.ts';

const sha256 = 'a'.repeat(64);
const facts: DeliveryFacts = {
  image: undefined,
  download: 'auto',
  downloadImage: 'reg.example/busybox@sha256:b',
  appUrl: 'https://kubelet.example',
  packaged: sha256,
  isInSubnet: false,
};
const image = 'reg.example/agent@sha256:c';
const url = `https://kubelet.example/api/agent/${sha256}`;

describe('how the agent comes into a group', () => {
  it.each<[string, Partial<DeliveryFacts>, object]>([
    ['by its image', { image }, { kind: 'image', image }],
    [
      'by its image in a subnet, whatever may be downloaded',
      { image, isInSubnet: true, download: 'always' },
      { kind: 'image', image },
    ],
    ['from the app outside of a subnet', {}, { kind: 'download', image: facts.downloadImage, url, sha256 }],
    [
      'from the app in a subnet where that is wanted',
      { isInSubnet: true, download: 'always' },
      { kind: 'download', url },
    ],
    [
      'not at all in a subnet',
      { isInSubnet: true },
      { kind: 'none', why: expect.stringContaining('which means not in a subnet') },
    ],
    [
      'not at all where downloads are off',
      { download: 'never' },
      { kind: 'none', why: expect.stringMatching(/AGENT_DOWNLOAD is never$/) },
    ],
    [
      'not at all without a package',
      { packaged: undefined },
      { kind: 'none', why: 'this app was packaged without the agent' },
    ],
    [
      'not at all without an address',
      { appUrl: undefined },
      { kind: 'none', why: 'the app does not know its own address' },
    ],
  ])('%s', (_, change, delivery) => expect(agentDelivery({ ...facts, ...change })).toMatchObject(delivery));
});

describe('the command that fetches it', () => {
  const command = downloadCommand({ url, sha256, folder: '/.sk' });
  it('has all that differs in arguments, none of it in the text of the script', () => {
    expect(command.slice(0, 2)).toEqual(['/bin/sh', '-c']);
    expect(command.slice(3)).toEqual(['sk', url, sha256, '/.sk', '150']);
    expect(downloadCommand({ url: 'https://x/$(touch y)', sha256, folder: '/.sk', seconds: 1 })[2]).toBe(command[2]);
  });
  it('is a script that a POSIX shell reads', () => {
    const read = spawnSync('sh', ['-n', '-c', command[2] ?? '']);
    expect([read.status, read.stderr.toString()]).toEqual([0, '']);
  });
});

describe('whether gzip is taken', () => {
  it.each([
    ['gzip', true],
    ['GZIP', true],
    ['gzip, deflate, br', true],
    ['br;q=1.0, gzip;q=0.8', true],
    ['*', true],
    ['x-gzip', true],
    ['gzip;q=0', false],
    ['gzip; q=0.0', false],
    ['*;q=0', false],
    ['gzip;q=0, *', false],
    ['identity', false],
    ['', false],
    [null, false],
    ['gzipped', false],
    ['gzip;q=x', false],
  ])('%j: %s', (header, isTaken) => expect(acceptsGzip(header)).toBe(isTaken));
});
