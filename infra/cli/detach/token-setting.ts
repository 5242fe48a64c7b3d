import type { ClusterRegistration } from '../../../shared/wire/settings.ts';
import type { AppSettings } from '../app-settings.ts';
import type { CliContext } from '../context.ts';
import { writeSetting } from '../setting-writer.ts';

/**
 * Takes the token that attach has put into the app's settings out of them, and answers the setting's name; undefined
 * when there is none. Goes before the registration, which alone names it. Idempotent.
 */
export async function removeTokenSetting(
  context: CliContext,
  app: AppSettings,
  auth: ClusterRegistration['auth'] | undefined,
): Promise<string | undefined> {
  if (auth?.kind !== 'token' || app.values[auth.setting] === undefined) return undefined;
  await writeSetting(app.source, { name: auth.setting, value: undefined }, context.az);
  return auth.setting;
}
