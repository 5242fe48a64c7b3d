import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { z } from 'zod';
import { EngineError } from './client.ts';
import type { EngineClient } from './client.ts';
import { runCommand } from './command.ts';
import { stateLabel } from './requests.ts';
import type { EngineKind } from './requests.ts';
import { freeSubnets, parseIpv4, parseRoutes } from './subnet.ts';
import type { Ipv4Range, Subnet } from './subnet.ts';

/** The bridge network of one state folder. */
export interface Network extends Subnet {
  readonly name: string;
  /** Of the bridge. */
  readonly device: string;
}

export interface NetworkOptions {
  readonly engine: EngineKind;
  readonly client: EngineClient;
  readonly stateKey: string;
}

const attempts = 8;

/** Makes the network on a subnet that nothing on this machine uses. The bridge is named after the state folder. */
export async function createNetwork(options: NetworkOptions): Promise<Network> {
  const name = networkName(options.stateKey);
  const candidates = freeSubnets(Number.parseInt(options.stateKey.slice(0, 6), 16), [
    ...interfaceRanges(),
    ...routes(),
  ]);
  let refusal: unknown = new Error('no subnet of 10.89.0.0/16 is free');
  for (const subnet of candidates.slice(0, attempts))
    try {
      await request({ ...options, name, subnet });
      return { name, device: deviceOf(name), ...subnet };
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      // Another network of the engine, without an interface at the moment, may hold the range.
      refusal = error;
    }
  throw refusal;
}

const deviceOf = (name: string): string => name.slice(0, 15);

/**
 * The bridge keeps the address that it has. Without this (seen with netavark 1.4, Debian's) it takes that of another container's
 * cable with each one that comes or goes, and a container that knows the former one answers nobody for seconds. Where there is no
 * iproute2 nothing is changed.
 */
export async function keepHardwareAddress({ device }: Pick<Network, 'device'>): Promise<void> {
  const address = await readFile(`/sys/class/net/${device}/address`, 'utf8').catch(() => undefined);
  if (address !== undefined) await runCommand('ip', ['link', 'set', 'dev', device, 'address', address.trim()]);
}

function networkName(stateKey: string): string {
  return `sk-${stateKey}`;
}

async function request(options: NetworkOptions & { name: string; subnet: Subnet }): Promise<void> {
  const { client, engine, name, subnet } = options;
  const labels = { [stateLabel]: options.stateKey };
  const range = { subnet: subnet.subnet, gateway: subnet.gateway };
  if (engine === 'podman') {
    // Podman's own form: the other one knows no interface name, and two state folders would both pick podman1.
    await client.send({
      method: 'POST',
      path: '/libpod/networks/create',
      body: {
        name,
        driver: 'bridge',
        network_interface: deviceOf(name),
        subnets: [range],
        dns_enabled: false,
        labels,
      },
    });
    return;
  }
  await client.send({
    method: 'POST',
    path: '/networks/create',
    body: {
      Name: name,
      Driver: 'bridge',
      IPAM: { Config: [{ Subnet: range.subnet, Gateway: range.gateway }] },
      Options: { 'com.docker.network.bridge.name': deviceOf(name) },
      Labels: labels,
    },
  });
}

const listed = z.array(z.object({ Name: z.string() }));

/** Removes every network that carries the state folder's label. */
export async function removeNetworks(options: NetworkOptions): Promise<void> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`${stateLabel}=${options.stateKey}`] }));
  const networks = await options.client.json(listed, { method: 'GET', path: `/networks?filters=${filters}` });
  for (const network of networks)
    await options.client.send({ method: 'DELETE', path: `/networks/${encodeURIComponent(network.Name)}` }, [404]);
}

function interfaceRanges(): Ipv4Range[] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses
      .filter((address) => address.family === 'IPv4')
      .map((address) => ({ address: parseIpv4(address.address), prefix: Number(address.cidr?.split('/')[1] ?? 32) })),
  );
}

function routes(): Ipv4Range[] {
  try {
    return parseRoutes(readFileSync('/proc/net/route', 'utf8'));
  } catch {
    return [];
  }
}
