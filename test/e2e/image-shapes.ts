/** Images of the shapes that programs come in, made of the catalog's by Dockerfile lines, or of one file. */
import { chmod, copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { onPath } from '../../infra/local/aci/runtime/engine/backend.ts';
import { runCommand } from '../../infra/local/aci/runtime/engine/command.ts';
import type { ImageStore } from '../../infra/local/aci/runtime/engine/image-store.ts';
import type { ImageConfig } from '../../shared/core/image/image-config.ts';

export interface ImageShape {
  readonly image: string;
  /** Undefined: one static program and nothing else, as distroless images are. */
  readonly from?: string;
  /** Dockerfile lines before those of `config`. */
  readonly lines?: readonly string[];
  readonly config: ImageConfig;
  /** Runs a script with any shell that has no programs but its own words. */
  readonly shell: readonly string[];
  /** Waits a tenth of a second, there. */
  readonly pause: string;
}

const name = (shape: string): string => `localhost/serverless-kubelet/shape-${shape}:2`;
const config = (more: Partial<ImageConfig>): ImageConfig => ({
  entrypoint: [],
  cmd: [],
  env: {},
  workingDir: '',
  user: '',
  ...more,
});
const pause = 'sleep 0.1';
const sh = ['sh', '-c'];
const busybox = 'docker.io/library/busybox:1.36';
const debian = 'docker.io/library/debian:bookworm-slim';
const one = { shell: ['/busybox', 'sh', '-c'], pause: '/busybox sleep 0.1' };

/** Insists on being process 1, as the /init of s6-overlay does, and starts what its arguments say. */
const init = String.raw`RUN printf '#!/bin/sh\n[ $$ = 1 ] || { echo "/init: can only run as pid 1" >&2; exit 100; }\nexec "$@"\n' >/init && chmod 755 /init`;

export const imageShapes = {
  distroless: { image: name('distroless'), config: config({}), ...one },
  'distroless for nonroot': { image: name('nonroot'), config: config({ user: '65532:65532' }), ...one },
  busybox: { image: name('busybox'), from: busybox, config: config({ cmd: ['sh'] }), shell: sh, pause },
  debian: { image: name('debian'), from: debian, config: config({ cmd: ['bash'] }), shell: ['bash', '-c'], pause },
  'a user without a name': {
    image: name('user'),
    from: debian,
    config: config({ user: '10001' }),
    shell: ['bash', '-c'],
    pause,
  },
  'a user by its name': { image: name('nobody'), from: busybox, config: config({ user: 'nobody' }), shell: sh, pause },
  'entrypoint, arguments, folder, variables and signal': {
    image: name('all'),
    from: busybox,
    lines: ['RUN mkdir -p /srv/work /opt/bin && ln -s /bin/busybox /opt/bin/sh && ln -s /bin/busybox /opt/bin/sleep'],
    config: config({
      entrypoint: ['sh', '-c'],
      env: { PATH: '/opt/bin', GREETING: 'a  b "c"', EMPTY: '', DOLLAR: '$x', HOME: '/srv' },
      workingDir: '/srv/work',
      stopSignal: 'SIGQUIT',
    }),
    shell: [],
    pause,
  },
  'an init that has to be process 1': {
    image: name('init'),
    from: busybox,
    lines: [init],
    config: config({ entrypoint: ['/init'], cmd: ['sh'] }),
    shell: ['sh', '-c'],
    pause,
  },
} satisfies Readonly<Record<string, ImageShape>>;

const list = (words: readonly string[]): string => JSON.stringify(words);

const changesOf = ({ config: said }: ImageShape): readonly string[] => [
  ...Object.entries(said.env).map(([key, value]) => `ENV ${key}=${list([value]).slice(1, -1).replaceAll('$', '\\$')}`),
  ...(said.entrypoint.length > 0 ? [`ENTRYPOINT ${list(said.entrypoint)}`] : []),
  ...(said.cmd.length > 0 ? [`CMD ${list(said.cmd)}`] : []),
  ...(said.workingDir === '' ? [] : [`WORKDIR ${said.workingDir}`]),
  ...(said.user === '' ? [] : [`USER ${said.user}`]),
  ...(said.stopSignal === undefined ? [] : [`STOPSIGNAL ${said.stopSignal}`]),
];

async function distroless(store: ImageStore, shape: ImageShape, folder: string): Promise<void> {
  const made = await mkdtemp(join(folder, 'shape-'));
  const root = join(made, 'root');
  await mkdir(root);
  const program = join(root, 'busybox');
  await copyFile(onPath('busybox') ?? '/bin/busybox', program);
  await chmod(program, 0o755);
  const tar = join(made, 'root.tar');
  const packed = await runCommand('tar', ['-C', root, '--numeric-owner', '--owner=0', '--group=0', '-cf', tar, '.']);
  if (packed.exitCode !== 0) throw new Error(packed.stderr);
  await store.importTar(shape.image, tar, changesOf(shape));
  await rm(made, { recursive: true });
}

/** Puts the images into the store; `folder` is for files that are in the way of nobody. */
export async function makeShapes(store: ImageStore, folder: string): Promise<void> {
  for (const shape of Object.values<ImageShape>(imageShapes))
    if (shape.from === undefined) await distroless(store, shape, folder);
    else await store.derive(shape.image, shape.from, [...(shape.lines ?? []), ...changesOf(shape)]);
}
