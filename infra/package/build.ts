/** All that is deployed, made from the sources: the function app, the relay, the chart and the command line. */
import { chmodSync, cpSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { build } from 'rolldown';
import * as z from 'zod';
import bundles from '../../rolldown.config.ts';
import { agentFiles, agentFilesOfApp, writeAgentFiles } from './agent-package.ts';
import { filesOf } from './files.ts';

const packageSchema = z.object({ name: z.string(), version: z.string() });

/** Name and version of this package. */
export function describePackage(repository: string): z.infer<typeof packageSchema> {
  return packageSchema.parse(JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')));
}

/**
 * Writes into an empty or absent `folder`:
 *
 * - `app/`: the function app as deployed: host.json, a package.json of four members, index.js, `chunks/` and, of the
 *   agent, what it gives to who downloads it from the app;
 * - `relay/relay.mjs`: one file with nothing beside it;
 * - `chart/`: the chart with `files/relay.mjs`;
 * - `cli/main.js`, executable, with the package.json that says it is a module;
 * - `agent/`: the agent, its hash and its image (`agent-package.ts`); not there where there is no `agent`;
 * - `maps/`: the source maps of all, in folders of the same names.
 *
 * The same sources and packages give the same bytes, whichever the folders are.
 */
export async function buildInto(folder: string, repository: string, agent?: Uint8Array): Promise<void> {
  for (const { output, ...input } of bundles)
    await build({
      ...input,
      cwd: repository,
      output: { ...output, dir: join(folder, nameOf(output.dir)) },
      logLevel: 'warn',
    });
  moveMaps(folder);
  completeApp(join(folder, 'app'), repository);
  completeChart(folder, repository);
  completeCli(join(folder, 'cli', 'main.js'));
  if (agent !== undefined) addAgent(folder, agent, describePackage(repository).version);
}

function addAgent(folder: string, agent: Uint8Array, version: string): void {
  const files = agentFiles(agent, version);
  writeAgentFiles(join(folder, 'agent'), files);
  writeAgentFiles(join(folder, 'app', 'agent'), files, agentFilesOfApp);
}

const nameOf = (dir: string): string => relative('dist', dir);

/** A map is four times its bundle, holds the sources, and is wanted only where a trace is read. */
function moveMaps(folder: string): void {
  for (const file of filesOf(folder)) {
    if (!file.endsWith('.map')) continue;
    const target = join(folder, 'maps', file);
    mkdirSync(dirname(target), { recursive: true });
    renameSync(join(folder, file), target);
  }
}

function completeApp(app: string, repository: string): void {
  cpSync(join(repository, 'host.json'), join(app, 'host.json'));
  const { name, version } = describePackage(repository);
  const manifest = { name: `${name}-app`, version, type: 'module', main: 'index.js' };
  writeFileSync(join(app, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

/** npm and kubectl start it as a program. */
function completeCli(file: string): void {
  const code = readFileSync(file, 'utf8');
  writeFileSync(file, code.startsWith('#!') ? code : `#!/usr/bin/env node\n${code}`);
  chmodSync(file, 0o755);
  // Wherever the folder is copied, Node takes its files for modules.
  writeFileSync(join(dirname(file), 'package.json'), `${JSON.stringify({ type: 'module' })}\n`);
}

function completeChart(folder: string, repository: string): void {
  const source = join(repository, 'infra', 'cluster', 'chart');
  const chart = join(folder, 'chart');
  cpSync(source, chart, { recursive: true, filter: (file) => !file.startsWith(join(source, 'files') + sep) });
  mkdirSync(join(chart, 'files'), { recursive: true });
  cpSync(join(folder, 'relay', 'relay.mjs'), join(chart, 'files', 'relay.mjs'));
}
