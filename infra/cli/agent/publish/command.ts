import { isAcr } from '../../../../shared/core/image/registry-endpoint.ts';
import { imageNameFault } from '../../../../shared/core/pod/image-name.ts';
import { imageLocation } from '../../../../shared/core/pod/image-reference.ts';
import type { AppSettings } from '../../app-settings.ts';
import type { Command } from '../../command.ts';
import type { CliContext } from '../../context.ts';
import { readPackagedAgent } from '../../delivery/packaged-agent.ts';
import { defaultRepository, imageReference, pushAgent, writeAgentSettings } from '../../delivery/publish-agent.ts';
import type { AgentPlace } from '../../delivery/publish-agent.ts';
import { pullRemark } from '../../delivery/pull-remark.ts';
import { exitCodes } from '../../exit-code.ts';
import type { OptionSpecs, ParsedOptions } from '../../options.ts';
import { wrongInput } from '../../stop.ts';

const help = `
Puts the agent's image into a registry of your own and names it to the app: pods that need the agent get it from
there, by its digest. The image is one file of a few megabytes; no Docker is needed. A second run finds it there.

You are known to the registry by your logins of docker or podman and by their helpers, and to one of Azure by az login
too; there you need the role AcrPush. Nothing is ever deleted from a registry, and no tag is moved: groups that were
made with an older image keep it. Container groups must be let in as well: attach --acr does all of it at once.

The first run also writes the setting AGENT_ROOT_KEYS, from which the keys of agents are made.

  agent publish --app kubelet --resource-group aci-pods --registry prodimages.azurecr.io
  agent publish --image-only --registry registry.example:5000 --repository platform/agent
`;

const options: OptionSpecs = {
  registry: { type: 'string', value: 'HOST', description: 'the registry, e.g. prodimages.azurecr.io' },
  repository: { type: 'string', value: 'NAME', description: `the repository there (default ${defaultRepository})` },
  'image-only': {
    type: 'boolean',
    description: "push the image and leave the app's settings alone; no app need be named",
  },
  agent: {
    type: 'string',
    value: 'DIR',
    description: "the agent's package (default: the one that comes with this program)",
  },
};

export const publishCommand: Command = {
  help,
  options,
  run: async (context) => {
    const place = parsePlace(context.options);
    const agent = readPackagedAgent(context.options.text('agent'));
    const isImageOnly = context.options.flag('image-only');
    const app = isImageOnly && !isAppNamed(context.options) ? undefined : await readApp(context);
    const settings = app?.settings ?? { REGISTRY_ENDPOINTS: {}, REGISTRY_CERTIFICATE_AUTHORITY_FILE: undefined };
    const pushed = await pushAgent(context, agent, { place, settings });
    const image = imageReference(place, agent);
    const changed =
      app === undefined || isImageOnly ? [] : await writeAgentSettings(context, app, { image, makesRoot: true });
    return report(context, { image, tag: agent.tag, isNew: pushed === 'pushed', changed, app, place, isImageOnly });
  },
};

const isAppNamed = (given: ParsedOptions): boolean => (given.text('app') ?? given.text('settings')) !== undefined;

const readApp = (context: CliContext): Promise<AppSettings> =>
  context.out.progress.step('settings of the app', () => context.app());

/** `--registry` and `--repository`, as one name of an image. */
export function parsePlace(given: ParsedOptions): AgentPlace {
  const registry = given.required('registry');
  const repository = given.text('repository') ?? defaultRepository;
  const name = `${registry}/${repository}`;
  const { host } = imageLocation(name);
  if (imageNameFault(`${name}:tag`) !== undefined || /[@/]/.test(registry))
    throw wrongInput(
      `${name} is no name of a repository`,
      'give a host with --registry, and lower-case words between slashes with --repository',
    );
  if (host !== registry && host === 'index.docker.io' && !registry.includes('docker'))
    throw wrongInput(
      `--registry wants a host, not "${registry}"`,
      `a registry of Azure is ${registry}.azurecr.io; az acr list --query "[].loginServer" shows them`,
    );
  return { registry: host, repository };
}

interface Done {
  readonly image: string;
  readonly tag: string;
  readonly isNew: boolean;
  readonly changed: readonly string[];
  readonly app: AppSettings | undefined;
  readonly isImageOnly: boolean;
  readonly place: AgentPlace;
}

function report(
  { out }: CliContext,
  { image, tag, isNew, changed, app, place, isImageOnly }: Done,
): typeof exitCodes.done {
  const remark = app && pullRemark(place.registry, app.settings);
  if (remark !== undefined) out.warn(remark);
  if (out.value({ image, tag, pushed: isNew, settings: changed })) return exitCodes.done;
  out.line(`${image} ${isNew ? 'is pushed' : 'was already there'}, with the tag ${tag}`);
  if (isImageOnly)
    out.line(
      `for the app: az functionapp config appsettings set --name <app> --resource-group <rg> --settings AGENT_IMAGE=${image}`,
    );
  else
    out.line(
      changed.length === 0 ? 'the app uses it already' : `written: ${changed.join(', ')}; the app uses it for new pods`,
    );
  if (!isAcr(place.registry))
    out.line('no container group has a login for it unless a pull secret of its pod is for that registry');
  return exitCodes.done;
}
