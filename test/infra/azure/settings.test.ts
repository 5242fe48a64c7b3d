/** What Bicep writes into the app's settings is what the app and the Functions host read. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hostBodyBytes } from '../../../shared/wire/relay-protocol/bounds.ts';
import { parseSettings } from '../../../shared/wire/settings.ts';
import { readBicep } from './bicep/model.ts';
import { membersOf, nodesOf } from './bicep/tree.ts';

const repository = join(import.meta.dirname, '..', '..', '..');
const main = readBicep(join(repository, 'infra', 'azure', 'main.bicep'));
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

/** Names of the settings in the variables that `settings:` of the app is made of. */
function settingsOf(variable: string): readonly string[] {
  const declaration = main.variables.find(({ name }) => name === variable);
  const objects =
    declaration === undefined ? [] : [...nodesOf(declaration.node)].filter(({ type }) => type === 'object');
  return objects.flatMap((object) => [...membersOf(object).keys()]);
}

const written = ['hostSettings', 'identitySettings', 'appSettings'].flatMap(settingsOf);

describe('settings that are written', () => {
  it('are those of the three variables, which nothing that is given can replace', () => {
    const app = main.modules.find(({ name }) => name === 'app');
    expect(app?.params.get('settings')?.text).toBe(
      'union(furtherSettings, referenceSettings, hostSettings, identitySettings, appSettings)',
    );
    expect(written.length).toBeGreaterThan(15);
    expect(new Set(written).size).toBe(written.length);
  });

  it('are known to docs/settings.md or to the Functions host', () => {
    expect(written.filter((name) => !documented.has(name) && !ofHost.includes(name))).toEqual([]);
    expect(ofHost.filter((name) => !written.includes(name))).toEqual([]);
  });

  it.each(forbidden)('are not %s, in any file', (name) => {
    for (const file of ['main.bicep', 'modules/function-app.bicep']) {
      expect(readFileSync(join(repository, 'infra', 'azure', file), 'utf8')).not.toMatch(new RegExp(`\\b${name}\\b`));
    }
  });

  it('hold every body to what the app takes, and hide the page that tells what is here', () => {
    const host = main.variables.find(({ name }) => name === 'hostSettings');
    const values = host === undefined ? [] : [...nodesOf(host.node)].flatMap((node) => [...membersOf(node)]);
    const text = (name: string): string | undefined => values.find(([key]) => key === name)?.[1].text;
    expect(text('FUNCTIONS_REQUEST_BODY_SIZE_LIMIT')).toBe(`'${String(hostBodyBytes)}'`);
    expect(text('AzureWebJobsDisableHomepage')).toBe(`'true'`);
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
      REGISTRATIONS_URL: 'https://account.blob.core.windows.net/serverless-kubelet/kubelet.json',
      SECURITY_POLICY: 'compatible',
    };
    const environment = Object.fromEntries(written.map((name) => [name, values[name] ?? '100']));
    const parsed = parseSettings(environment);
    expect(parsed.ok ? [] : parsed.faults).toEqual([]);
  });
});
