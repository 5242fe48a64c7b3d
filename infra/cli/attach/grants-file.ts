import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { isJsonObject } from '../../../shared/core/json.ts';
import type { Json } from '../../../shared/core/json.ts';
import { resourceName } from '../../../shared/core/resource-id.ts';
import { unknownWorkspaces } from '../../../shared/core/pod/grant.ts';
import type { PodGrant } from '../../../shared/core/pod/grant.ts';
import { grantsFile } from '../../../shared/wire/grants.ts';
import { settingFault } from '../../../shared/wire/setting-fault.ts';
import { wrongInput } from '../stop.ts';

const form = 'docs/security.md has the form, with an example';

/** The grants of a YAML or JSON file: a list, or `{grants: […]}`. Whatever is wrong in it is wrong input, all at once. */
export function readGrantsFile(file: string): readonly PodGrant[] {
  const value = parseText(file, readText(file));
  const whole = Array.isArray(value) ? { grants: value } : value;
  if (!isJsonObject(whole)) throw wrongInput(`${file} holds no list of grants`, `${form}; [] takes all of them away`);
  if ('namespace' in whole)
    throw wrongInput(`${file} holds one grant, and a list of them is expected`, `begin it with "- "; ${form}`);
  const parsed = grantsFile.safeParse(whole);
  if (parsed.success) return parsed.data.grants;
  const faults = parsed.error.issues.map((issue) => {
    const { name, expected } = settingFault(issue, whole);
    return `${issue.path.length === 0 ? 'the object' : name}: ${expected}`;
  });
  const more = faults.length > mostReported ? `; and ${faults.length - mostReported} more` : '';
  throw wrongInput(`${file}: ${faults.slice(0, mostReported).join('; ')}${more}`, form);
}

const mostReported = 10;

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch {
    throw wrongInput(`${file} can't be read`, 'check the path given with --grants');
  }
}

function parseText(file: string, text: string): Json | undefined {
  try {
    const value: Json | undefined = parse(text, { stringKeys: true, logLevel: 'error' });
    return value;
  } catch (error) {
    const [said = ''] = (error instanceof Error ? error.message : '').split('\n');
    throw wrongInput(`${file} is neither YAML nor JSON: ${said.replace(/[.:]$/, '')}`, form);
  }
}

/** `team-a/reports: identity reports, subnet pods, a public address`: for a person. */
export function describeGrant(grant: PodGrant): string {
  const who = grant.namespace === '*' ? 'every namespace' : grant.namespace;
  const may = [
    ...grant.identities.map((id) => `identity ${resourceName(id)}`),
    ...grant.subnets.map((id) => (id === 'none' ? 'no subnet' : `subnet ${resourceName(id)}`)),
    ...grant.logAnalytics.map((name) => `workspace ${name}`),
    ...(grant.publicAddress ? ['a public address'] : []),
  ];
  const account = grant.serviceAccount === undefined ? '' : `/${grant.serviceAccount}`;
  return `${who}${account}: ${may.length === 0 ? 'nothing' : may.join(', ')}`;
}

/** A sentence for each workspace that a grant names and the app's settings do not. */
export const describeUnknownWorkspaces = (
  grants: readonly PodGrant[],
  known: Readonly<Record<string, unknown>>,
): readonly string[] =>
  unknownWorkspaces(grants, known).map(
    (name) => `a grant names the workspace ${name}, which the app's setting LOG_ANALYTICS_WORKSPACES has not`,
  );
