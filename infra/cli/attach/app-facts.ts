import * as z from 'zod';
import { podEventsPath } from '../../../shared/wire/relay-protocol/paths.ts';
import { azAppArgs } from '../app-settings.ts';
import type { AppSettings } from '../app-settings.ts';
import type { AzureCli } from '../azure-cli.ts';
import { failure, wrongInput } from '../stop.ts';
import type { FoundIdentity } from './pull-plan.ts';

/** What Azure reports the app itself. */
export interface AppFacts {
  /** `https://…`, where the relay reaches it. */
  readonly url: string;
  /** Object id of its identity; undefined where az was not asked. */
  readonly principalId: string | undefined;
  /** User-assigned identities that are attached to it; of a settings file none are known. */
  readonly identities: readonly FoundIdentity[];
}

const identity = z.object({
  principalId: z.string().nullish(),
  userAssignedIdentities: z.record(z.string(), z.object({ clientId: z.string(), principalId: z.string() })).nullish(),
});
const site = z.object({
  defaultHostName: z.string().nullish(),
  state: z.string().nullish(),
  identity: identity.nullish(),
  /** Flex Consumption apps are shown as ARM has them. */
  properties: z.object({ defaultHostName: z.string().nullish(), state: z.string().nullish() }).nullish(),
});

/** The app's address and identity; the settings file knows neither, so the command line has to. */
export async function readAppFacts(
  { source, settings }: AppSettings,
  given: { readonly appUrl: string | undefined; readonly principalId: string | undefined },
  az: AzureCli,
): Promise<AppFacts> {
  if (source.kind === 'file') {
    if (given.appUrl === undefined)
      throw wrongInput('--settings does not say where the app is', 'add --app-url https://…');
    return { url: given.appUrl, principalId: given.principalId, identities: [] };
  }
  const parsed = site.safeParse(await az.json(['functionapp', 'show', ...azAppArgs(source)]));
  if (!parsed.success)
    throw failure('az functionapp show did not answer as expected', 'update the Azure CLI: az upgrade');
  const { properties } = parsed.data;
  const host = parsed.data.defaultHostName ?? properties?.defaultHostName;
  if (host === undefined || host === null) throw failure(`${source.app} has no host name`, 'look at it in the portal');
  if ((parsed.data.state ?? properties?.state) === 'Stopped')
    throw wrongInput(`the app ${source.app} is stopped`, 'start it: az functionapp start');
  return {
    url: given.appUrl ?? `https://${host}`,
    principalId: given.principalId ?? principalOf(parsed.data.identity, settings.AZURE_CLIENT_ID),
    identities: Object.entries(parsed.data.identity?.userAssignedIdentities ?? {}).map(([id, one]) => ({ id, ...one })),
  };
}

/** Of several identities the one that the app uses: that of AZURE_CLIENT_ID, else the system-assigned one. */
function principalOf(found: z.infer<typeof site>['identity'], clientId: string | undefined): string | undefined {
  if (clientId === undefined) return found?.principalId ?? undefined;
  return Object.values(found?.userAssignedIdentities ?? {}).find(
    (one) => one.clientId.toLowerCase() === clientId.toLowerCase(),
  )?.principalId;
}

/** A remark where the app does not answer as it should; undefined where it does. Never fails: the relay may reach what we do not. */
export async function appRemark(url: string, clusterUid: string): Promise<string | undefined> {
  try {
    const answer = await fetch(`${url}${podEventsPath(clusterUid)}`, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
      signal: AbortSignal.timeout(30_000),
    });
    await answer.body?.cancel();
    // 401 is right: nobody without the relay's token comes in.
    if (answer.status === 401) return undefined;
    if (answer.status === 404) return `${url} has no functions yet: publish the package (docs/deploy.md)`;
    if (answer.status === 503) return `${url} says that it cannot start: its log, or the command doctor, says why`;
    return `${url} answers ${answer.status} where 401 is expected`;
  } catch {
    return `${url} cannot be reached from here; that is right only if it is private, and the cluster reaches it`;
  }
}
