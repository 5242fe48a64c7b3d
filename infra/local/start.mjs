// The door of every npm script that may run on a bare clone: plain JavaScript, Node 20.12 or newer, no packages. Installs
// what is missing and goes on under the project's own Node 24.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const node = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

const programs = {
  start: 'infra/local/up.ts',
  status: 'infra/local/ask.ts',
  doctor: 'infra/local/ask.ts',
  detach: 'infra/local/detach.ts',
  cluster: 'infra/local/cluster/main.ts',
  'cluster:build': 'infra/local/cluster/main.ts',
  images: 'infra/local/aci/images.ts',
};
const leading = { status: ['status'], doctor: ['doctor'], cluster: ['start'], 'cluster:build': ['build'] };

/** As package.json's `engines`. */
const oldest = [20, 12];
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < oldest[0] || (major === oldest[0] && minor < oldest[1]))
  fail(
    `Node ${process.versions.node} is too old: install Node ${oldest.join('.')} or newer (https://nodejs.org) and try again.`,
  );

const [first, ...others] = process.argv.slice(2);
const command = first !== undefined && Object.hasOwn(programs, first) ? first : 'start';
const args = first === undefined ? [] : command === first ? others : [first, ...others];

install();
run([join(root, programs[command]), ...(leading[command] ?? []), ...args]);

/** `npm ci` where node_modules is missing or not of this lock file; npm's own scripts run, since one of them brings Node 24. */
function install() {
  // npm writes this file last; a lock file that is newer came with a pull.
  const installed = join(root, 'node_modules', '.package-lock.json');
  const isCurrent =
    existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs;
  if (existsSync(node) && isCurrent) return;
  console.log('installing packages (npm ci), once');
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (npm.error) fail(`npm could not be started: ${npm.error.message}`);
  if (npm.status !== 0) fail('npm ci failed; its lines above say why.');
  if (!existsSync(node))
    fail(
      'The package "node" did not bring Node 24: allow its install script (npm config set ignore-scripts false) and try again.',
    );
  // An unchanged tree may keep the file's old time.
  utimesSync(installed, new Date(), new Date());
}

/** The program has the terminal; signals from it reach both, so this process only waits and gives on the exit code. */
function run(argv) {
  const child = spawn(node, argv, {
    cwd: process.cwd(),
    // By the channel's end the program knows that this process is gone, however it went.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, PATH: `${dirname(node)}:${process.env.PATH}` },
  });
  whenNpmIsGone(() => child.kill('SIGTERM'));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
  child.on('error', (error) => fail(error.message));
}

/** npm does not hand on the signal that ends it (an editor's stop button, `timeout npm start`): it is looked after. */
function whenNpmIsGone(act) {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const shell = lookAt(parent);
  // Some shells are between the two, others become this process.
  const grandparent = shell?.command.includes('start.mjs') ? shell.parent : undefined;
  const timer = setInterval(() => {
    const isThere = process.ppid === parent && (grandparent === undefined || lookAt(parent)?.parent === grandparent);
    if (isThere) return;
    clearInterval(timer);
    act();
  }, 1000);
  timer.unref();
}

/** Parent and command line of a process; undefined where neither /proc nor ps says. */
function lookAt(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name before the last bracket may hold anything.
    const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { parent: Number(parent), command: readFileSync(`/proc/${pid}/cmdline`, 'utf8') };
  } catch {
    const { stdout } = spawnSync('ps', ['-o', 'ppid=,args=', '-p', String(pid)], { encoding: 'utf8' });
    const [, parent, command] = /^\s*(\d+) (.*)/.exec(stdout ?? '') ?? [];
    return parent === undefined ? undefined : { parent: Number(parent), command };
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
