import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { readAgentTags } from '../../../../shared/core/agent/agent-tags.ts';
import { firstRoot, rootBytes, rotated } from '../../../../shared/core/agent/key.ts';
import type { RootKeys } from '../../../../shared/core/agent/key.ts';
import { tagNames } from '../../../../shared/core/group/identity.ts';
import { formatRootKeys, isVaultReference, parseRootKeys } from '../../../../shared/wire/agent-settings.ts';
import type { AppSettings } from '../../app-settings.ts';
import { azDenied } from '../../azure-cli.ts';
import type { Command } from '../../command.ts';
import type { CliContext } from '../../context.ts';
import { exitCodes } from '../../exit-code.ts';
import { faultClause } from '../../inspect/fault-reason.ts';
import { writeSetting } from '../../setting-writer.ts';
import { failure, wrongInput } from '../../stop.ts';

const help = `
Makes a new root for the keys of agents. New groups get their keys from it; the one before stays, and so does each former
one that a group's tag names: their agents go on reporting, nothing restarts but the app. Former roots that no group needs
go. Run it again after a while to be rid of them too. No root is ever shown.

Where the setting AGENT_ROOT_KEYS is a reference to a key vault, give the secret's value in a file, which gets the new one:

  agent rotate-key --app kubelet --resource-group aci-pods
  az keyvault secret download --vault-name vault --name agent-roots --file roots.json
  agent rotate-key --app kubelet --resource-group aci-pods --file roots.json
  az keyvault secret set --vault-name vault --name agent-roots --file roots.json && shred -u roots.json
`;

const setting = 'AGENT_ROOT_KEYS';

export const rotateKeyCommand: Command = {
  help,
  options: {
    file: {
      type: 'string',
      value: 'FILE',
      description: 'a file that has the roots, instead of the setting; made where it is not there',
    },
  },
  run: async (context) => {
    const app = await context.out.progress.step('settings of the app', () => context.app());
    const file = context.options.text('file');
    const before = file === undefined ? ofSetting(app) : ofFile(file);
    const named = before === undefined ? new Set<string>() : await namedRoots(context, app);
    const random = randomBytes(rootBytes);
    const after = before === undefined ? firstRoot(random) : rotated(before, random, named);
    await context.out.progress.step('roots of keys', () => write(context, app, { file, text: formatRootKeys(after) }));
    return report(context, before, after);
  },
};

function ofSetting(app: AppSettings): RootKeys | undefined {
  if (isVaultReference(app.values[setting] ?? ''))
    throw wrongInput(
      `${setting} is a reference to a key vault, and the secret is there`,
      "give the secret's value with --file FILE, and put what is in the file afterwards into the vault: --help shows how",
    );
  return app.settings.AGENT_ROOT_KEYS;
}

function ofFile(file: string): RootKeys | undefined {
  if (!existsSync(file)) return undefined;
  const keys = parseRootKeys(readFileSync(file, 'utf8'));
  if (keys !== undefined) return keys;
  throw wrongInput(
    `${file} holds no roots of keys`,
    `give the value of ${setting}, or the name of a file that is not there`,
  );
}

/** A list that is not whole would take roots away that groups need. */
async function namedRoots(context: CliContext, { settings }: AppSettings): Promise<ReadonlySet<string>> {
  const listed = await context.out.progress.step('groups', async () => (await context.groups()).list(context.signal));
  context.signal.throwIfAborted();
  if (!listed.ok)
    throw failure(
      `which roots groups need is not known: their list could not be read: ${faultClause(listed.fault)}`,
      'az login; you need Reader at the resource group of the container groups',
    );
  const own = listed.value.filter(({ tags }) => tags[tagNames.installation] === settings.INSTALLATION);
  return new Set(own.flatMap(({ tags }) => readAgentTags(tags)?.kid ?? []));
}

async function write(
  { az }: CliContext,
  { source }: AppSettings,
  { file, text }: { readonly file: string | undefined; readonly text: string },
): Promise<void> {
  if (file !== undefined) {
    const half = `${file}.${process.pid}.tmp`;
    writeFileSync(half, `${text}\n`, { mode: 0o600 });
    renameSync(half, file);
    return;
  }
  try {
    await writeSetting(source, { name: setting, value: text }, az);
  } catch (error) {
    if (azDenied(error))
      throw failure(
        'your account may not write the settings of the app',
        'ask for the role Website Contributor at the app',
      );
    throw error;
  }
}

function report({ out }: CliContext, before: RootKeys | undefined, after: RootKeys): typeof exitCodes.done {
  const kept = Object.keys(after.roots).filter((kid) => kid !== after.current);
  const gone = Object.keys(before?.roots ?? {}).filter((kid) => after.roots[kid] === undefined);
  if (out.value({ current: after.current, kept, gone })) return exitCodes.done;
  out.line(`new groups get their keys from the root ${after.current}`);
  if (kept.length > 0) out.line(`kept, for groups that were made with them: ${kept.join(', ')}`);
  if (gone.length > 0) out.line(`gone, as no group was made with them: ${gone.join(', ')}`);
  return exitCodes.done;
}
