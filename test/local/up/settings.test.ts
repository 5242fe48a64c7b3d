import { describe, expect, it } from 'vitest';
import { appSettings } from '../../../infra/local/up/settings.ts';
import { parseUpOptions } from '../../../infra/local/up/options.ts';
import { imageOverride } from '../../../shared/core/image/image-override.ts';
import { parseSettings } from '../../../shared/wire/settings.ts';

const input = {
  arm: { ...parseUpOptions([], {}).arm, endpoint: 'https://127.0.0.1:8443', caFile: '/tmp/ca.crt' },
  connectionString:
    'DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:1/a;TableEndpoint=http://127.0.0.1:2/a;',
  createsPerHour: 300,
  subnetId: '/subscriptions/s/resourceGroups/r/providers/Microsoft.Network/virtualNetworks/v/subnets/n',
  identity: { url: 'http://127.0.0.1:1/msi/token', header: 'h' },
};
const fixed = {
  cluster: {
    server: 'https://127.0.0.1:6443',
    caPem: '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n',
    version: 'v1.36.3',
    forwarder: { address: '10.89.0.1', port: 6443 },
  },
  attachment: {
    clusterUid: '22222222-2222-4222-8222-222222222222',
    namespace: 'serverless-kubelet',
    relayServiceAccount: 'relay',
    appToken: 'token',
  },
  nodes: [{ name: 'aci-1', port: 10_250 }],
  nodeAddress: '127.0.0.1',
};

describe('the settings that npm start writes', () => {
  it('are settings that the app takes', () => {
    const settings = appSettings({ ...input, fixed });
    const parsed = parseSettings(settings);
    expect(parsed).toMatchObject({
      ok: true,
      settings: { ACI_CREATES_PER_HOUR: 300, CLUSTERS: [{ nodes: [{ name: 'aci-1', state: 'active' }] }] },
    });
    expect(settings['REGISTRATIONS_URL']).toMatch(
      /^http:\/\/127\.0\.0\.1:1\/a\/serverless-kubelet\/local\.json\?sv=.*&sig=/,
    );
  });

  it('say of the images that are made here what no registry need be asked for', () => {
    const parsed = parseSettings(appSettings(input));
    const overrides = parsed.ok ? parsed.settings.IMAGE_CONFIGS : {};
    expect(imageOverride('busybox:1.36', overrides)).toMatchObject({ entrypoint: [], cmd: ['sh'] });
    expect(imageOverride('docker.io/library/debian:bookworm', overrides)).toMatchObject({ cmd: ['bash'] });
    expect(imageOverride('nginx', overrides)).toBeUndefined();
  });

  it('say where the registry is, where there is one', () => {
    const registryEndpoints = 'registry.local=http://127.0.0.1:5000';
    expect(parseSettings(appSettings({ ...input, registryEndpoints }))).toMatchObject({
      ok: true,
      settings: { REGISTRY_ENDPOINTS: { 'registry.local': 'http://127.0.0.1:5000' } },
    });
    expect(parseSettings(appSettings(input))).toMatchObject({ ok: true, settings: { REGISTRY_ENDPOINTS: {} } });
  });

  it('name no cluster where one is attached later', () => {
    expect(parseSettings(appSettings(input))).toMatchObject({ ok: true, settings: { CLUSTERS: [] } });
  });
});
