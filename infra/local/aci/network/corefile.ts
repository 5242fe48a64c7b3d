import type { NetworkKnobs } from './knobs.ts';

/** A name of the API server outside the cluster, which its certificate has too. */
export const apiServerName = 'api.outside.example';

/** What Azure's resolver knows here: names of what pods reach outside the cluster, all at the bridge's gateway. */
const outsideNames = ['outside.example', apiServerName, 'registry.outside.example'];

/** The Corefile of the stand-in for Azure's resolver. The knob says what it answers. */
export function resolverCorefile(options: {
  readonly address: string;
  readonly port: number;
  readonly vnetDns: NetworkKnobs['vnetDns'];
}): string {
  const { address, port, vnetDns } = options;
  return [`.:${port} {`, `  bind ${address}`, '  errors', ...answersOf(vnetDns, address), '}', ''].join('\n');
}

function answersOf(vnetDns: NetworkKnobs['vnetDns'], gateway: string): readonly string[] {
  const names = ['  hosts {', ...outsideNames.map((name) => `    ${gateway} ${name}`), '    fallthrough', '  }'];
  switch (vnetDns) {
    case 'zone':
      return [...names, ...always('NXDOMAIN')];
    case 'machine':
      return [...names, '  forward . /etc/resolv.conf'];
    case 'nxdomain':
      return always('NXDOMAIN');
    case 'servfail':
      return always('SERVFAIL');
  }
}

/** Comes after `hosts` in the order of the plugins (main.go), whatever the order of the lines. */
function always(code: 'NXDOMAIN' | 'SERVFAIL'): readonly string[] {
  return ['  template ANY ANY {', `    rcode ${code}`, '  }'];
}
