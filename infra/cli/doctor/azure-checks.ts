import type { Settings } from '../../../shared/wire/settings.ts';
import { azAppArgs } from '../app-settings.ts';
import type { AppSettings, AppSource } from '../app-settings.ts';
import type { CliContext } from '../context.ts';
import { Stop } from '../stop.ts';
import { faultReason, isNoLogin, signIn, unreadableBy } from '../inspect/fault-reason.ts';
import { read, unreadable } from '../inspect/observed.ts';
import type { Part } from '../inspect/observed.ts';
import { readAccount, readApp, readProvider, readSubnet } from '../inspect/azure-objects.ts';
import {
  judgeApp,
  judgeBodyLimit,
  judgeIdentity,
  judgeLogin,
  judgeProvider,
  judgeQuota,
  judgeSubnet,
} from '../inspect/azure-judgements.ts';
import { failed, good, skipped } from '../inspect/check.ts';
import type { Check } from '../inspect/check.ts';
import { judgePull } from '../inspect/identity-judgements.ts';
import { defined } from '../../../shared/core/defined.ts';
import { askRights, checkRoles } from './role-checks.ts';
import type { AppSeen } from './role-checks.ts';

/** Reports one check as soon as it is made. */
export type ReportCheck = (check: Check) => void;

/** The login and the app itself, before its settings are known. Answers the id of the app's principal, if it could be reported. */
export async function checkLogin(context: CliContext, source: AppSource, report: ReportCheck): Promise<boolean> {
  if (source.kind === 'file' && (await isLocalArm(context))) {
    report(skipped('az login', 'ARM is an emulator on this machine, of which az knows nothing.'));
    return false;
  }
  const subscription = source.kind === 'azure' ? source.subscription : undefined;
  const account = await readAccount(context.az, subscription);
  const check = judgeLogin(account);
  // With a settings file nothing needs az but the checks that ask it.
  const isNeeded = source.kind === 'azure' || account.kind === 'read';
  report(isNeeded ? check : skipped(check.name, `${check.found} What only az knows is skipped.`));
  return account.kind === 'read';
}

const noAz = 'Only az knows it.';

/** Settings that are wrong are reported by their own check. */
async function isLocalArm(context: CliContext): Promise<boolean> {
  try {
    const { ARM_ENDPOINT: endpoint } = await context.settings();
    return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(endpoint).hostname);
  } catch (error) {
    if (error instanceof Stop) return false;
    throw error;
  }
}

/** The app at Azure: whether it runs, who it is, what it may. */
export async function checkApp(
  context: CliContext,
  { source, settings, values, hasAz }: AppSettings & { readonly hasAz: boolean },
  report: ReportCheck,
): Promise<AppSeen> {
  const { az } = context;
  report(judgeBodyLimit(values));
  if (source.kind === 'file') {
    const given = context.options.text('principal-id');
    report(skipped('function app', 'Only the settings file is known, not the app.'));
    if (given === undefined) report(skipped('identity', 'Unknown without the app; --principal-id names it.'));
    const rights = given !== undefined && hasAz ? askRights(az, given) : undefined;
    if (rights !== undefined) await checkRoles(context, { settings, rights }, report);
    for (const check of judgePull(settings, undefined)) report(check);
    return defined({ principalId: given, rights });
  }
  const app = await readApp(az, azAppArgs(source));
  report(judgeApp(app, source.app));
  if (app.kind === 'unreadable') {
    report(skipped('identity', 'Unknown without the app.'));
    return {};
  }
  const { check, principalId } = judgeIdentity(app.value, settings);
  report(check);
  const rights = principalId === undefined ? undefined : askRights(az, principalId);
  if (rights !== undefined) await checkRoles(context, { settings, rights }, report);
  const { userIdentities: identities } = app.value;
  for (const one of judgePull(settings, identities)) report(one);
  return { identities, ...defined({ principalId, rights }) };
}

/** The subscription and the region: provider, quota, subnet. */
export async function checkRegion(
  context: CliContext,
  { settings, hasAz }: { readonly settings: Settings; readonly hasAz: boolean },
  report: ReportCheck,
): Promise<void> {
  const { az, signal } = context;
  const subscription = settings.AZURE_SUBSCRIPTION_ID;
  report(judgeProvider(hasAz ? await readProvider(az, subscription) : unreadable(noAz)));
  const groups = await context.groups();
  const listed = await groups.list(signal);
  report(
    listed.ok
      ? good(
          'resource group',
          `${settings.AZURE_RESOURCE_GROUP} is there and holds ${String(listed.value.length)} container groups.`,
        )
      : failed(
          'resource group',
          `The container groups of ${settings.AZURE_RESOURCE_GROUP} could not be listed: ${faultReason(listed.fault)}`,
          isNoLogin(listed.fault) ? signIn : 'See that it exists, and that you may read it; the app needs it too.',
        ),
  );
  const usages = await groups.listUsages(signal);
  const part: Part<Parameters<typeof judgeQuota>[0] extends Part<infer T> ? T : never> = usages.ok
    ? read(usages.value)
    : unreadableBy(usages.fault);
  for (const check of judgeQuota(part, settings.AZURE_LOCATION)) report(check);
  if (settings.ACI_SUBNET_ID !== undefined)
    report(hasAz ? judgeSubnet(await readSubnet(az, settings.ACI_SUBNET_ID)) : skipped('subnet', noAz));
}
