import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { armError, writeAz } from './az-stand-in.ts';
import type { AzAnswer } from './az-stand-in.ts';
import { run } from './run.ts';

let dir = '';
let chart: readonly string[] = [];
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'cli-'));
  writeAz(join(dir, 'chart/files'), []);
  writeFileSync(join(dir, 'chart/Chart.yaml'), 'name: x');
  chart = ['--chart', join(dir, 'chart')];
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const app = ['--app', 'kubelet', '--resource-group', 'aci-pods'];
const aks = ['--aks', 'prod', '--aks-resource-group', 'prod'];

describe('what the command line alone reports is wrong', () => {
  it.each([
    [
      'an option that is none, with the nearest',
      ['attach', '--note', 'x'],
      'there is no option --note',
      'did you mean --nodes?',
    ],
    ['an option without its value', ['attach', '--nodes'], '--nodes wants a value', '--nodes NAME,…'],
    [
      'an option as a value',
      ['attach', '--nodes', '--zones', '1'],
      '--nodes wants a value, not --zones',
      '--nodes NAME,…, or --nodes=--zones if it is meant',
    ],
    ['an option twice', ['attach', '--port', '1', '--port', '2'], '--port is given twice', 'give it once'],
    [
      'a word that is no option',
      ['attach', 'aci-1'],
      '"aci-1" is not understood',
      'every argument is an option: --help lists them',
    ],
    ['a command that is none', ['atach'], 'there is no command "atach"', 'did you mean attach?'],
    [
      'a form that is none',
      ['attach', '--output', 'xml'],
      '--output wants table, json or yaml, not "xml"',
      'for a person leave it out, for a program use json',
    ],
    ['no nodes', ['attach', ...app], '--nodes is missing', 'add --nodes NAME,…'],
    [
      'fewer zones than nodes',
      ['attach', '--nodes', 'a,b', '--zones', '1'],
      'there are 2 nodes and 1 zones',
      'give one zone for each node, in the same order, or no --zones',
    ],
    ['a zone that is none', ['attach', '--nodes', 'a', '--zones', '4'], '"4" is no zone', 'a zone is 1, 2 or 3'],
    ['a node twice', ['attach', '--nodes', 'a,a'], 'the node a is named twice', 'name it once'],
    [
      'a name that is no node name',
      ['attach', '--nodes', 'A_1'],
      '"A_1" is no node name',
      'use 1 to 63 of a–z, 0–9, "-" and ".", first and last a letter or digit',
    ],
    [
      'a token option without tokens',
      ['attach', '--nodes', 'a', '--token-setting', 'T'],
      '--token-setting goes with --auth token',
      'leave it out, or add --auth token',
    ],
    [
      'a chart that is to be kept, and changed',
      ['attach', '--nodes', 'a', '--keep-chart'],
      '--chart changes the chart, and --keep-chart leaves it as it is',
      'leave one of them out',
    ],
    [
      'a registry of Azure for an app that is a file',
      ['attach', '--nodes', 'a', '--acr', 'prodimages', '--settings', 'f'],
      '--acr asks Azure for the registry and the app, and --settings names a file',
      'name the app with --app and --resource-group, or write REGISTRY_PULL_IDENTITIES and REGISTRY_PULL_CLIENT_ID into the file (docs/settings.md)',
    ],
    [
      'grants that are not there',
      ['attach', '--nodes', 'a', '--grants', '/nowhere/g'],
      "/nowhere/g can't be read",
      'check the path given with --grants',
    ],
    [
      'a duration that is none',
      ['attach', '--nodes', 'a', '--timeout', '5'],
      '--timeout wants a duration, not "5"',
      'write it as 90s, 5m or 1h',
    ],
    [
      'two clusters',
      ['attach', '--nodes', 'a', ...aks, '--kubeconfig', 'f'],
      '--aks and --kubeconfig both name a cluster',
      'give one of them',
    ],
    [
      'an AKS cluster without its group',
      ['attach', '--nodes', 'a', '--aks', 'prod'],
      '--aks needs its resource group',
      'add --aks-resource-group NAME',
    ],
    [
      'force without a UID',
      ['detach', '--force'],
      '--force needs to know which cluster is gone',
      'add --cluster UID; the command status shows the UIDs',
    ],
    [
      'force with a name',
      ['detach', '--force', '--cluster', 'prod'],
      '--cluster wants a UID, not "prod"',
      'the command status shows the UIDs',
    ],
    ['yes without force', ['detach', '--yes'], '--yes goes with --force', 'leave it out'],
    ['no app', ['detach'], 'no app is named', 'add --app NAME --resource-group NAME, or --settings FILE'],
    [
      'an app without its group',
      ['detach', '--app', 'x'],
      '--app needs its resource group',
      'add --resource-group NAME',
    ],
    [
      'two places of the settings',
      ['detach', '--app', 'x', '--settings', 'f'],
      '--app and --settings both say where the settings are',
      'give one of them',
    ],
    [
      'a file that is not there',
      ['detach', '--settings', '/nowhere/s'],
      "/nowhere/s can't be read",
      'check the path given with --settings',
    ],
    [
      'no az',
      ['detach', ...app],
      'the Azure CLI (az) is not on PATH',
      "install it (https://aka.ms/install-azure-cli), or give the app's settings with --settings FILE and the cluster with --kubeconfig FILE",
    ],
  ])('%s', async (_, args, problem, fix) => {
    const [command = '', ...rest] = args;
    const result = await run([command, ...(command === 'attach' ? chart : []), ...rest]);
    expect(result).toEqual({ code: 2, stdout: '', stderr: `serverless-kubelet: ${problem}\n  → ${fix}\n` });
  });
});

const settings = [
  ['INSTALLATION', 'prod'],
  ['AZURE_SUBSCRIPTION_ID', '00000000-0000-4000-8000-000000000001'],
  ['AZURE_RESOURCE_GROUP', 'aci-pods'],
  ['AZURE_LOCATION', 'westeurope'],
  ['AzureWebJobsStorage__tableServiceUri', 'https://a.table.core.windows.net'],
  ['REGISTRATIONS_URL', 'https://a.blob.core.windows.net/serverless-kubelet/prod.json'],
].map(([name, value]) => ({ name, value }));
const list = 'functionapp config appsettings list --name kubelet --resource-group aci-pods';
const said = (stderr: string): AzAnswer[] => [{ command: list, code: 1, stderr: `ERROR: ${stderr}\n` }];
const refused = (code: string, message: string): AzAnswer[] => [
  { command: list, code: 1, stderr: armError(code, message) },
];

describe('what Azure reports is wrong', () => {
  it.each<[string, AzAnswer[], number, RegExp]>([
    [
      'nobody is logged in',
      said("Please run 'az login' to setup account."),
      2,
      /the Azure CLI is not logged in\n {2}→ run az login\n/,
    ],
    [
      'the login has expired',
      said(
        'AADSTS700082: The refresh token has expired due to inactivity.\nRun the command below to authenticate interactively; additional arguments may be added as needed:\naz logout\naz login --tenant "t"',
      ),
      2,
      /the login of the Azure CLI has expired\n {2}→ run az login\n/,
    ],
    [
      'the token has expired',
      refused('ExpiredAuthenticationToken', "The access token expiry UTC time '11/23/2026' is earlier than now."),
      2,
      /the login of the Azure CLI has expired\n {2}→ run az login\n/,
    ],
    [
      'Entra refuses',
      said('AADSTS530003: Your device is required to be managed.\nRun the command below:\naz logout\naz login'),
      2,
      /Entra refuses the login of the Azure CLI\n {2}→ run az login, which says why\n/,
    ],
    [
      'another tenant',
      refused('InvalidAuthenticationTokenTenant', "The access token is from the wrong issuer 'a'."),
      2,
      /another tenant than that of the subscription\n {2}→ log in to it with az login --tenant\n/,
    ],
    [
      'another subscription',
      said("Subscription 'x' not found. Check the spelling and casing and try again."),
      2,
      /does not know that subscription\n {2}→ az account list/,
    ],
    [
      'no such app or group, of which az lists nothing and ends well',
      [{ command: list }],
      2,
      /there is no app kubelet in resource group aci-pods\n {2}→ check --app, --resource-group and --subscription\n/,
    ],
    [
      'a missing role',
      refused('AuthorizationFailed', "The client 'me' does not have authorization to perform action"),
      1,
      /your account has no role that allows this\n {2}→ ask an owner/,
    ],
    [
      'something else',
      refused('Conflict', 'Operation in progress'),
      1,
      /az functionapp config appsettings list failed: \(Conflict\) Operation in progress\n/,
    ],
    [
      'a bug of az',
      said(
        "The command failed with an unexpected error. Here is the traceback:\nERROR: 'sku'\nTraceback (most recent call last):\n  File \"x.py\", line 1\nKeyError: 'sku'\nTo check existing issues, please visit: https://github.com/Azure/azure-cli/issues",
      ),
      1,
      /az functionapp config appsettings list failed: 'sku'\n/,
    ],
    [
      'no network',
      said("HTTPSConnection(host='management.azure.com', port=443): Failed to resolve 'management.azure.com'"),
      1,
      /Azure can not be reached from here\n {2}→ check the network/,
    ],
    [
      'settings of another app',
      [{ command: list, stdout: [] }],
      2,
      /the settings of kubelet: INSTALLATION: set it; it is required; .*\n {2}→ docs\/settings\.md/,
    ],
    [
      'no such AKS cluster',
      [
        { command: list, stdout: settings },
        { command: 'aks show', code: 3, stderr: armError('ResourceNotFound', "The Resource 'prod' was not found.") },
      ],
      2,
      /az aks show: there is no resource of that name there/,
    ],
    [
      'no such group of the AKS cluster',
      [
        { command: list, stdout: settings },
        {
          command: 'aks show',
          code: 3,
          stderr: armError('ResourceGroupNotFound', "Resource group 'prod' could not be found."),
        },
      ],
      2,
      /az aks show: there is no such resource group in that subscription/,
    ],
    [
      'a stopped AKS cluster',
      [
        { command: list, stdout: settings },
        { command: 'aks show', stdout: { powerState: { code: 'Stopped' } } },
      ],
      2,
      /the AKS cluster prod is stopped\n {2}→ start it: az aks start/,
    ],
  ])('%s', async (name, answers, code, sentence) => {
    const path = writeAz(join(dir, name.replaceAll(' ', '-')), answers);
    const result = await run(['attach', ...app, ...aks, '--nodes', 'aci-1', ...chart], { path });
    expect(result.code).toBe(code);
    expect(result.stderr).toMatch(sentence);
    expect(result.stderr.trim().split('\n')).toHaveLength(2);
  });
});

describe('the program', () => {
  it("is kubectl's plugin by its name", async () => {
    const { stdout } = await run(['--help'], { invokedAs: 'kubectl-aci' });
    expect(stdout).toMatch(/^usage: kubectl aci COMMAND/);
  });
  it('reports its version', async () => expect((await run(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/));
  it.each(['attach', 'detach'])('%s --help names every option and the exit codes', async (command) => {
    const { code, stdout } = await run([command, '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('--settings FILE');
    expect(stdout).toContain('Exit codes: 0 done');
  });
});
