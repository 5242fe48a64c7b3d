import { BlockList, isIP } from 'node:net';
import type { Environment } from '../context.ts';

/**
 * The proxy by which kubectl would go to a server: HTTPS_PROXY (or https_proxy) unless NO_PROXY names the host, as Go
 * reads them (https://pkg.go.dev/golang.org/x/net/http/httpproxy). Loopback is never proxied.
 */
export function proxyFor(server: string, environment: Environment): string | undefined {
  const { protocol, hostname, port } = new URL(server);
  const of = (name: string): string => environment[name] ?? environment[name.toLowerCase()] ?? '';
  const proxy = protocol === 'https:' ? of('HTTPS_PROXY') : of('HTTP_PROXY');
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (proxy === '' || host === 'localhost' || isWithin(host, '127.0.0.0/8') || host === '::1') return undefined;
  const entries = of('NO_PROXY')
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== '');
  if (entries.some((entry) => isNamed(host, port === '' ? '443' : port, entry))) return undefined;
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}

function isNamed(host: string, port: string, entry: string): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return isWithin(host, entry);
  const [, name = entry, ofPort] = /^(.*):(\d+)$/.exec(isIP(entry) === 6 ? '' : entry) ?? [];
  if (ofPort !== undefined && ofPort !== port) return false;
  const suffix = name.replace(/^\*?\./, '');
  return name === suffix ? host === name || host.endsWith(`.${name}`) : host.endsWith(`.${suffix}`);
}

function isWithin(host: string, network: string): boolean {
  const [address = '', bits = ''] = network.split('/');
  const family = isIP(host);
  if (family === 0 || isIP(address) !== family || !/^\d+$/.test(bits)) return false;
  const kind = family === 6 ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(address, Number(bits), kind);
  return list.check(host, kind);
}
