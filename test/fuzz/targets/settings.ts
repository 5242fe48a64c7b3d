import { answerCaller } from '../../../shared/app/run-http.ts';
import { buildDeps } from '../../../shared/app/load-deps.ts';
import type { SettingFault } from '../../../shared/wire/setting-fault.ts';
import type { SettingsResult } from '../../../shared/wire/settings.ts';
import { parseSettings } from '../../../shared/wire/settings.ts';
import { registration, settingsOf } from '../../fixtures/settings.ts';
import type { Dice } from '../dice.ts';
import type { Mutator } from '../mutator.ts';
import { Secrets } from '../secrets.ts';
import type { Case, CaseReport, Target } from '../target.ts';
import { toRequest } from './caller.ts';

/** The app's environment: what is wrong is reported by the setting's name, never by its value, and nothing is thrown. */
export const settings: Target = {
  name: 'settings',
  share: 'requests',
  cases: 40_000,
  testCases: 450,
  open: async () => ({ run: playSettings }),
};

type Environment = Record<string, string>;

async function playSettings(one: Case): Promise<CaseReport> {
  const { dice, mutator } = one;
  const secrets = new Secrets();
  const environment = mutatedEnvironment(dice, mutator, secrets);
  one.show = () => secrets.mask(JSON.stringify(environment));
  const parsed = parseSettings(environment);
  const reported = secrets.findIn(
    'a fault of a setting',
    JSON.stringify(parsed.ok ? [] : withoutKeys(parsed.faults, environment)),
  );
  const faults = [...resultFaults(parsed), ...reported];
  const loaded = parsed.ok || dice.chance(0.05) ? await loadFaults(environment, secrets) : [];
  return { outcome: parsed.ok ? 'accepted' : 'refused', faults: [...faults, ...loaded] };
}

const known =
  /^(INSTALLATION|A[A-Za-z_]+|SECURITY_POLICY|ON_CAPACITY_FAIL_AFTER_MINUTES|ACI_[A-Z0-9_]+|CLUSTERS.*|REGISTRATIONS_URL|PROD_TOKEN)$/s;
const longestFault = 1_000;

function resultFaults(parsed: SettingsResult): readonly string[] {
  if (parsed.ok) return Object.values(parsed.settings).some((value) => Number.isNaN(value)) ? ['a number is none'] : [];
  return [
    ...(parsed.faults.length > 0 ? [] : ['refused without a word why']),
    ...parsed.faults.filter(({ name }) => !known.test(name)).map(({ name }) => `a fault of no setting: ${name}`),
    ...parsed.faults
      .filter(({ name, expected }) => expected === '' || name.length + expected.length > longestFault)
      .map(({ name, expected }) => `a fault of ${name.length + expected.length} characters: ${name.slice(0, 60)}`),
  ];
}

/** Bytes that were spliced may have made a member's name of a value: that one may be shown. */
function withoutKeys(faults: readonly SettingFault[], { CLUSTERS = '' }: Environment): readonly SettingFault[] {
  const keys = [...CLUSTERS.matchAll(/"((?:[^"\\]|\\.)*)"\s*:/g)]
    .map(([, key = '']) => key)
    .filter((key) => key.includes('Planted'));
  return faults.filter(({ name, expected }) => !keys.some((key) => name.includes(key) || expected.includes(key)));
}

/** The same environment as a process meets it: with its first request. */
async function loadFaults(environment: Environment, secrets: Secrets): Promise<readonly string[]> {
  const lines: string[] = [];
  const line = (message: string, fields?: object): void => void lines.push(JSON.stringify({ message, ...fields }));
  const request = toRequest({ headers: {}, params: { cluster: 'x' }, query: '', body: Buffer.from('') });
  const answer = await answerCaller(
    request,
    { info: line, warn: line },
    {
      deadlineMs: 1_000,
      run: async () => ({ status: 200 }),
      load: () => buildDeps(environment),
    },
  );
  return [
    ...(answer.status === 401 || answer.status === 503
      ? []
      : [`with these settings a request is answered ${answer.status}`]),
    ...secrets.findIn('the log', lines.join('\n')),
    ...secrets.findIn('the answer', JSON.stringify(answer)),
  ];
}

function mutatedEnvironment(dice: Dice, mutator: Mutator, secrets: Secrets): Environment {
  const plant = (what: string): string => secrets.plant(what, '');
  const environment: Environment = {
    ...settingsOf([], {
      AzureWebJobsStorage: `DefaultEndpointsProtocol=https;AccountName=a;AccountKey=${plant('storage')};EndpointSuffix=x`,
      PROD_TOKEN: plant('token'),
      ACI_SUBNET_ID: `/subscriptions/${plant('subnet')}/resourceGroups/r/providers/Microsoft.Network/virtualNetworks/v/subnets/s`,
      ACI_CREATES_PER_HOUR: '300',
      ACI_MAX_GROUP_CPU: '4',
      ARM_ENDPOINT: 'https://arm.example',
      SECURITY_POLICY: 'strict',
      WEBSITE_AUTH_ENCRYPTION_KEY: plant('website'),
    }),
    CLUSTERS: mutator.json('CLUSTERS', clusters(dice, plant)).toString('utf8'),
  };
  if (dice.chance(0.2))
    environment['ARM_CERTIFICATE_AUTHORITY_FILE'] = dice.pick(['/nowhere/ca.pem', '.', '/dev/null']);
  for (const name of Object.keys(environment)) mutateOne(environment, name, { dice, mutator, plant });
  return environment;
}

interface Tools {
  readonly dice: Dice;
  readonly mutator: Mutator;
  readonly plant: (what: string) => string;
}

function mutateOne(environment: Environment, name: string, { dice, mutator, plant }: Tools): void {
  if (dice.chance(0.06)) environment[name] = mutator.text(name, environment[name] ?? '');
  // Somebody has put the wrong thing there.
  if (dice.chance(0.02)) environment[name] = mutator.swap(name, environment[name] ?? '', [plant(name)]);
  if (dice.chance(0.02)) mutator.step(() => (delete environment[name], `${name}:remove`));
}

function clusters(dice: Dice, plant: (what: string) => string): unknown {
  const jwt = `eyJhbGciOiJSUzI1NiJ9.${Buffer.from(plant('pasted token')).toString('base64url')}.${plant('signature')}`;
  const count = dice.pick([0, 1, 1, 1, 2]);
  return Array.from({ length: count }, (_, index) => ({
    ...registration(Array.from({ length: 1 + dice.below(3) }, (__, node) => ({ name: `aci-${node}` }))),
    uid: `7d5a3c1e-0000-4000-8000-00000000000${index}`,
    certificateAuthority: `-----BEGIN CERTIFICATE-----\n${plant('certificate')}\n-----END CERTIFICATE-----\n`,
    apiServerForPods: { host: 'api.example', port: 443 },
    ...(dice.chance(0.1)
      ? { auth: { kind: 'token', setting: dice.pick([jwt, plant('pasted'), `Bearer ${jwt}`]) } }
      : {}),
    ...(dice.chance(0.1) ? { auth: { kind: 'entra', token: plant('auth') } } : {}),
    ...(dice.chance(0.1)
      ? { server: `https://user:${plant('server')}@api.example:${dice.pick(['6443', '99999'])}` }
      : {}),
    ...(dice.chance(0.1) ? { version: plant('version') } : {}),
  }));
}
