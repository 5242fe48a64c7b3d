import { describe, expect, it } from 'vitest';
import { parseUpOptions } from '../../../infra/local/up/options.ts';

const env = { AZURE_SUBSCRIPTION_ID: '11111111-1111-4111-8111-111111111111', AZURE_RESOURCE_GROUP: 'rg' };

describe('the options of npm start', () => {
  it('default to the emulator, .local and the examples', () => {
    const options = parseUpOptions([], {});
    expect(options).toMatchObject({
      exit: false,
      examples: true,
      runtime: undefined,
      cluster: undefined,
      kubeconfig: undefined,
      arm: { endpoint: undefined, location: 'westeurope' },
    });
    expect(options.dir).toMatch(/\/\.local$/);
  });
  it('--arm azure is the public cloud, with what the environment names', () => {
    expect(parseUpOptions(['--arm', 'azure'], env).arm).toMatchObject({
      endpoint: 'https://management.azure.com',
      subscription: env.AZURE_SUBSCRIPTION_ID,
      resourceGroup: 'rg',
    });
  });
  it('--arm takes a server with a certificate authority of its own', () => {
    const { arm } = parseUpOptions(['--arm', 'https://127.0.0.1:8443/', '--arm-ca', '/tmp/ca.crt'], {});
    expect(arm).toMatchObject({ endpoint: 'https://127.0.0.1:8443', caFile: '/tmp/ca.crt' });
  });
  it('options on the command line outrank the environment', () => {
    expect(parseUpOptions(['--arm', 'azure', '--resource-group', 'other'], env).arm.resourceGroup).toBe('other');
  });

  it.each([
    { args: ['--runtime', 'docker'], says: '--runtime wants engine or process, not "docker"' },
    { args: ['--cluster', 'kind'], says: '--cluster wants real or embedded, not "kind"' },
    { args: ['--cluster', 'real', '--kubeconfig', 'x'], says: 'leave one of them out' },
    {
      args: ['--functions-host', '/nowhere'],
      says: '--functions-host /nowhere holds no Functions host: it wants a folder with the program "functions-host" in it',
    },
    { args: ['--relay', 'pod'], says: '--relay wants process or chart, not "pod"' },
    { args: ['--relay', 'chart', '--cluster', 'embedded'], says: '--relay chart needs --cluster real' },
    { args: ['--machine', '--cluster', 'embedded'], says: '--machine needs --cluster real' },
    { args: ['--arm', 'http://plain'], says: '--arm wants an https:// URL or "azure", not "http://plain"' },
    { args: ['--arm', 'azure'], says: '--arm azure wants --subscription ID and --resource-group NAME' },
    { args: ['--arm-ca', 'x.crt'], says: '--arm-ca goes with --arm URL' },
    {
      args: ['--creates-per-hour', 'many'],
      says: '--creates-per-hour wants a whole number from 3 to 100000, not "many"',
    },
    { args: ['--unknown'], says: "Unknown option '--unknown'" },
  ])('$args is refused: $says', ({ args, says }) => expect(() => parseUpOptions(args, {})).toThrow(says));
});
