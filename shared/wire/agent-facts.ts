import type { AgentFacts } from '../core/agent/agent-facts.ts';
import { defined } from '../core/defined.ts';
import type { Settings } from './settings.ts';

/** What no setting says of the agent. */
export interface AgentSurroundings {
  readonly appUrl: string | undefined;
  /** Hash of the program in the app's package; undefined: it has none. */
  readonly packaged: string | undefined;
}

/** What of the agent is the same for all pods of an app. */
export const agentFacts = (settings: Settings, { appUrl, packaged }: AgentSurroundings): AgentFacts => ({
  mode: settings.AGENT,
  isKeyless: settings.AGENT_ROOT_KEYS === undefined || appUrl === undefined,
  download: settings.AGENT_DOWNLOAD,
  downloadImage: settings.AGENT_DOWNLOAD_IMAGE,
  ...defined({ image: settings.AGENT_IMAGE, appUrl, packaged }),
});

/** Where groups reach the app, without a slash at its end: as a setting says, else as App Service calls the app. */
export function appUrlOf(
  { APP_URL }: Pick<Settings, 'APP_URL'>,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (APP_URL !== undefined) return APP_URL.replace(/\/+$/, '');
  const host = environment['WEBSITE_HOSTNAME'] ?? '';
  // A host on somebody's machine calls it so, and no group reaches that.
  return host === '' || /^(localhost|127\.|\[|0\.0\.0\.0)/.test(host) ? undefined : `https://${host}`;
}
