import { describe, expect, it } from 'vitest';
import {
  containerdConfig,
  kubeletConfig,
  kubeProxyConfig,
  networkConfig,
} from '../../../infra/local/machine/configuration.ts';
import { clusterCidr, machineFiles, machinePlace } from '../../../infra/local/machine/place.ts';

const key = '0123456789ab';
const bridge = { device: `sk-${key}`, gateway: '10.89.32.1', subnet: '10.89.32.0/23' };
const place = machinePlace(key, bridge);
const files = machineFiles('/state/machine', key);

describe('an ordinary node of the laptop cloud', () => {
  it('has the last address of the bridge, which the engine gives out last, and a range of pods of its own', () => {
    expect(place).toMatchObject({ address: '10.89.33.254', podRange: '10.244.32.0/24', podGateway: '10.244.32.1' });
    expect(machinePlace(key, { ...bridge, subnet: '10.89.40.0/23' }).podRange).toBe('10.244.40.0/24');
    expect(clusterCidr).toBe('10.244.0.0/16');
  });

  it('has names that Linux takes, and a socket whose path is short enough', () => {
    expect(place.cable.length).toBeLessThanOrEqual(15);
    expect(files.socket.length).toBeLessThanOrEqual(108);
    expect(files.socket.startsWith(`${files.runDir}/`)).toBe(true);
  });

  it('gives its pods addresses of that range, without hiding them', () => {
    expect(networkConfig(place, files)).toMatchObject({
      plugins: [{ type: 'bridge', ipMasq: false, ipam: { ranges: [[{ subnet: '10.244.32.0/24' }]] } }],
    });
  });

  it("lets nobody in but the API server, and asks the cluster's DNS", () => {
    const config = kubeletConfig({
      files,
      clusterDns: '10.96.0.10',
      clientCaFile: '/ca.crt',
      certificate: { cert: '/kubelet.crt', key: '/kubelet.key' },
      resolvConf: '/resolv.conf',
    });
    expect(config).toMatchObject({
      clusterDNS: ['10.96.0.10'],
      containerRuntimeEndpoint: `unix://${files.socket}`,
      authentication: { anonymous: { enabled: false }, x509: { clientCAFile: '/ca.crt' } },
    });
    expect(containerdConfig(files)).toContain(`address = "${files.socket}"`);
    expect(kubeProxyConfig('vm-1', '/kubeconfig')).toMatchObject({ clusterCIDR: clusterCidr, mode: 'iptables' });
  });
});
