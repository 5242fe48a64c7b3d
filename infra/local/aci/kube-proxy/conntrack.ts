import type { Ruleset } from './rules.ts';

/**
 * The arguments of the runs of `conntrack` after rules changed. UDP has no end: the kernel sends a flow in use where it
 * first went, to an endpoint that has gone or to a Service's own address from before it had one, until somebody forgets it.
 */
export function staleFlows(before: Ruleset['udp'], after: Ruleset['udp']): string[][] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((target) => {
    const [had, has] = [before.get(target) ?? none, after.get(target) ?? none];
    if (has.size > 0 && had.size === 0) return [forget(target)];
    const gone = new Set([...had].filter((endpoint) => !has.has(endpoint)).map((endpoint) => endpoint.split(':')[0]));
    return [...gone].map((address) => [...forget(target), '--dst-nat', address ?? '']);
  });
}

const none: ReadonlySet<string> = new Set();

function forget(target: string): string[] {
  const [address = '', port = ''] = target.split(':');
  return ['-D', '-p', 'udp', '--orig-dst', address, '--orig-port-dst', port];
}
