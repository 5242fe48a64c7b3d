import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onPath } from '../runtime/engine/backend.ts';
import { runCommand } from '../runtime/engine/command.ts';
import { isStatic } from '../runtime/engine/pause.ts';
import { mainAptSource } from './apt-source.ts';
import type { AptSource } from './apt-source.ts';
import { debianPackages, nodePackages } from './catalog.ts';
import type { BaseName } from './catalog.ts';

export interface RootfsOptions {
  /** Empty folder to fill. */
  readonly folder: string;
  readonly log: (line: string) => void;
}

/** A tool of this machine is missing; the message says how to get it. */
export class MissingTool extends Error {}

const muslCompiler = 'musl-gcc';

/** Whether this machine has the compiler for a base that takes one. */
export const canMake = (base: BaseName): boolean => base !== 'musl' || onPath(muslCompiler) !== undefined;

/** Makes the root file system of a base. Throws `MissingTool` where the machine lacks what it takes. */
export function makeRootfs(base: BaseName, options: RootfsOptions): Promise<void> {
  switch (base) {
    case 'busybox':
      return busyboxRootfs(options);
    case 'musl':
      return muslRootfs(options);
    case 'debian':
      return debianRootfs(options);
    case 'node':
      return nodeRootfs(options);
  }
}

async function busyboxRootfs({ folder }: RootfsOptions): Promise<void> {
  const program = onPath('busybox');
  if (program === undefined || !(await isStatic(program)))
    throw new MissingTool('a static busybox is missing (Debian: apt-get install busybox-static)');
  for (const name of ['bin', 'dev', 'etc', 'home', 'proc', 'root', 'sys', 'tmp', 'usr', 'var'])
    await mkdir(join(folder, name));
  await chmod(join(folder, 'tmp'), 0o1777);
  await copyFile(program, join(folder, 'bin', 'busybox'));
  await chmod(join(folder, 'bin', 'busybox'), 0o755);
  const applets = await must('busybox', ['--list']);
  // "busybox" is in its own list.
  for (const applet of new Set(applets.split('\n').filter((name) => name !== '' && name !== 'busybox')))
    await symlink('busybox', join(folder, 'bin', applet));
  await writeFile(
    join(folder, 'etc', 'passwd'),
    'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n',
  );
  await writeFile(join(folder, 'etc', 'group'), 'root:x:0:\nnogroup:x:65534:\n');
}

/** The static busybox, and a `getent` by which one sees how musl's resolver resolves. */
async function muslRootfs(options: RootfsOptions): Promise<void> {
  const compiler = onPath(muslCompiler);
  if (compiler === undefined) throw new MissingTool("musl's compiler is missing (Debian: apt-get install musl-tools)");
  await busyboxRootfs(options);
  const program = join(options.folder, 'usr', 'bin', 'getent');
  await mkdir(join(options.folder, 'usr', 'bin'));
  await must(compiler, ['-static', '-O2', '-o', program, join(import.meta.dirname, 'getent.c')]);
}

async function debianRootfs({ folder, log }: RootfsOptions): Promise<void> {
  await bootstrap(debianPackages, { folder, log });
  await shapeNginx(folder);
}

/** Where the registry's image has it. The program is the one that runs this, the npm package `node`'s. */
async function nodeRootfs({ folder, log }: RootfsOptions): Promise<void> {
  await bootstrap(nodePackages, { folder, log });
  const program = join(folder, 'usr/local/bin/node');
  await copyFile(process.execPath, program);
  await chmod(program, 0o755);
}

async function bootstrap(packages: readonly string[], { folder, log }: RootfsOptions): Promise<void> {
  if (process.getuid?.() !== 0) throw new MissingTool('debootstrap must run as root');
  if (onPath('debootstrap') === undefined)
    throw new MissingTool('debootstrap is missing (Debian: apt-get install debootstrap)');
  const source = await machineSource();
  log(`debootstrap ${source.suite} with ${packages.join(', ')}: about 40 s`);
  await must('debootstrap', [
    '--variant=minbase',
    `--include=${packages.join(',')}`,
    `--components=${source.components.join(',')}`,
    ...(source.keyring === undefined ? [] : [`--keyring=${source.keyring}`]),
    source.suite,
    folder,
    source.uri,
  ]);
  await slim(folder);
}

async function machineSource(): Promise<AptSource> {
  const codename = /^VERSION_CODENAME=(.*)$/mu.exec(await readIfThere('/etc/os-release'))?.[1] ?? '';
  const folder = '/etc/apt/sources.list.d';
  const names = existsSync(folder) ? (await readdir(folder)).map((name) => join(folder, name)) : [];
  const files = await Promise.all(['/etc/apt/sources.list', ...names].map(readIfThere));
  const source = mainAptSource(files, codename);
  if (source === undefined)
    throw new MissingTool(
      `no apt source for "${codename} main" on this machine: the images need a Debian or Ubuntu mirror`,
    );
  return source;
}

async function readIfThere(path: string): Promise<string> {
  return existsSync(path) ? await readFile(path, 'utf8') : '';
}

/** What no container needs, and what says on which machine the image was made. */
const superfluous = [
  'usr/share/doc',
  'usr/share/man',
  'usr/share/locale',
  'usr/share/info',
  'var/lib/apt/lists',
  'var/cache/apt',
  'var/log/bootstrap.log',
  'var/log/apt',
  'var/log/dpkg.log',
  'etc/resolv.conf',
  'etc/hostname',
  'etc/apt/sources.list',
];

async function slim(folder: string): Promise<void> {
  for (const name of superfluous) await rm(join(folder, name), { recursive: true, force: true });
}

/** As in the registry's image: logs go to the container's streams. IPv6 is absent on many machines and would stop it. */
async function shapeNginx(folder: string): Promise<void> {
  for (const [name, stream] of [
    ['access.log', '/dev/stdout'],
    ['error.log', '/dev/stderr'],
  ] as const) {
    const path = join(folder, 'var/log/nginx', name);
    await rm(path, { force: true });
    await symlink(stream, path);
  }
  const site = join(folder, 'etc/nginx/sites-available/default');
  await writeFile(site, (await readFile(site, 'utf8')).replaceAll(/^\s*listen \[::\].*$/gmu, ''));
}

async function must(program: string, args: readonly string[]): Promise<string> {
  const result = await runCommand(program, args);
  if (result.exitCode === 0) return result.stdout;
  const tail = `${result.stdout}\n${result.stderr}`.trim().split('\n').slice(-5).join('\n');
  throw new Error(`${program} failed with ${result.exitCode}:\n${tail}`);
}
