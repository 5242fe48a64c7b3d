/** What Bicep writes into the app's settings is what the app and the Functions host read. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hostBodyBytes } from '../../../shared/wire/relay-protocol/bounds.ts';
import { parseSettings } from '../../../shared/wire/settings.ts';
import { root, snapshotOf } from './snapshots.ts';

const repository = join(import.meta.dirname, '..', '..', '..');
const documented = new Set(
  [...readFileSync(join(repository, 'docs', 'settings.md'), 'utf8').matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name),
);

/** Settings that the Functions host reads, and the telemetry that the host and the app share. */
const ofHost = [
  'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
  'APPLICATIONINSIGHTS_CONNECTION_STRING',
  'AzureWebJobsDisableHomepage',
  'AzureWebJobsStorage__blobServiceUri',
  'AzureWebJobsStorage__clientId',
  'AzureWebJobsStorage__credential',
  'AzureWebJobsStorage__queueServiceUri',
  'AzureWebJobsStorage__tableServiceUri',
  'FUNCTIONS_REQUEST_BODY_SIZE_LIMIT',
];

/** Settings with which a deployment to Flex Consumption fails, or that it ignores. */
const forbidden = [
  'ENABLE_ORYX_BUILD',
  'FUNCTIONS_EXTENSION_VERSION',
  'FUNCTIONS_WORKER_RUNTIME',
  'SCM_DO_BUILD_DURING_DEPLOYMENT',
  'TZ',
  'WEBSITE_CONTENTAZUREFILECONNECTIONSTRING',
  'WEBSITE_CONTENTSHARE',
  'WEBSITE_MAX_DYNAMIC_APPLICATION_SCALE_OUT',
  'WEBSITE_MOUNT_ENABLED',
  'WEBSITE_NODE_DEFAULT_VERSION',
  'WEBSITE_RUN_FROM_PACKAGE',
  'WEBSITE_TIME_ZONE',
  'linuxFxVersion',
];

const byText = (left: string, right: string): number => (left.toLowerCase() < right.toLowerCase() ? -1 : 1);
const settingsOf = (name: string) => snapshotOf(name).of('Microsoft.Web/sites/config')[0]?.properties ?? {};
const written = Object.keys(settingsOf('vnet'));

describe('settings that are written', () => {
  it('are those that main.bicep guards from what is given', () => {
    const [, list = ''] =
      /^var ownSettings = \[\n([^\]]+)\]$/m.exec(readFileSync(join(root, 'main.bicep'), 'utf8')) ?? [];
    expect(written.length).toBeGreaterThan(15);
    expect([...list.matchAll(/'(\w+)'/g)].map(([, name]) => name)).toEqual([...written].sort(byText));
  });

  it('are references where they are secrets', () => {
    expect(settingsOf('production')['EDGE_TOKEN']).toBe(
      '@Microsoft.KeyVault(SecretUri=https://kubelet-secrets.example/secrets/edge-token)',
    );
  });

  it('are known to docs/settings.md or to the Functions host', () => {
    expect(written.filter((name) => !documented.has(name) && !ofHost.includes(name))).toEqual([]);
    expect(ofHost.filter((name) => !written.includes(name))).toEqual([]);
  });

  it.each(forbidden)('are not %s, in any file', (name) => {
    for (const file of ['main.bicep', 'modules/function-app.bicep'])
      expect(readFileSync(join(root, file), 'utf8')).not.toMatch(new RegExp(`\\b${name}\\b`));
  });

  it('hold every body to what the app takes, and hide the page that says what is here', () => {
    expect(settingsOf('main')).toMatchObject({
      FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: String(hostBodyBytes),
      AzureWebJobsDisableHomepage: 'true',
    });
  });

  it('are enough for the app', () => {
    const values: Readonly<Record<string, string>> = {
      ACI_SUBNET_ID: '',
      ARM_ENDPOINT: 'https://management.azure.com',
      AZURE_CLIENT_ID: '11111111-1111-4111-8111-111111111111',
      AZURE_LOCATION: 'westeurope',
      AZURE_RESOURCE_GROUP: 'aci-pods',
      AZURE_SUBSCRIPTION_ID: '00000000-0000-4000-8000-000000000001',
      AzureWebJobsStorage__blobServiceUri: 'https://account.blob.core.windows.net/',
      AzureWebJobsStorage__tableServiceUri: 'https://account.table.core.windows.net/',
      INSTALLATION: 'kubelet',
      ON_CAPACITY_FAIL_AFTER_MINUTES: '0',
      REGISTRY_PULL_CLIENT_ID: '',
      REGISTRY_PULL_IDENTITIES: '',
      REGISTRATIONS_URL: 'https://account.blob.core.windows.net/serverless-kubelet/kubelet.json',
      SECURITY_POLICY: 'compatible',
    };
    const environment = Object.fromEntries(written.map((name) => [name, values[name] ?? '100']));
    const parsed = parseSettings(environment);
    expect(parsed.ok ? [] : parsed.faults).toEqual([]);
  });
});
