import { createHash } from 'node:crypto';

/** Root file systems that images are made from where no registry can be reached. */
export type BaseName = 'busybox' | 'musl' | 'debian' | 'node';

/** An image that examples and tests name. */
export interface CatalogImage {
  /** Normalized name. */
  readonly image: string;
  readonly base: BaseName;
  /** Dockerfile lines: what the image of the registry runs by default. */
  readonly changes: readonly string[];
  /** Whether cloud and examples do without: it takes a tool that few machines have. */
  readonly isOptional?: true;
}

const shell = ['CMD ["sh"]'];
const bash = ['CMD ["bash"]'];
const nginx = ['CMD ["nginx", "-g", "daemon off;"]', 'EXPOSE 80', 'STOPSIGNAL SIGQUIT'];

/** The few images that examples, tests and the chart name, and what stands in for them. */
export const catalog: readonly CatalogImage[] = [
  { image: 'docker.io/library/busybox:1.36', base: 'busybox', changes: shell },
  { image: 'docker.io/library/busybox:latest', base: 'busybox', changes: shell },
  { image: 'docker.io/library/alpine:3.20', base: 'musl', changes: shell, isOptional: true },
  { image: 'docker.io/library/debian:bookworm-slim', base: 'debian', changes: bash },
  { image: 'docker.io/library/debian:bookworm', base: 'debian', changes: bash },
  { image: 'docker.io/library/perl:5.34.0', base: 'debian', changes: bash },
  { image: 'docker.io/library/nginx:1.14.2', base: 'debian', changes: nginx },
  { image: 'docker.io/library/nginx:latest', base: 'debian', changes: nginx },
  { image: 'docker.io/library/node:24-slim', base: 'node', changes: ['CMD ["node"]'] },
];

/** What the app need not ask a registry for: these have no entrypoint, where they come from a registry as where they are made. */
export const knownConfigs = {
  'busybox:1.36': { cmd: ['sh'] },
  'busybox:latest': { cmd: ['sh'] },
  'alpine:3.20': { cmd: ['sh'] },
  'debian:bookworm-slim': { cmd: ['bash'] },
  'debian:bookworm': { cmd: ['bash'] },
} as const;

/** Debian packages in the `debian` base: perl for bignum (the library of its own is newer: perl 5.36's bpi fails), nginx for the web server, curl for the examples. */
export const debianPackages = ['perl', 'libmath-bigint-perl', 'nginx-light', 'curl', 'ca-certificates'] as const;

/** Debian packages in the `node` base, besides Debian's least: what the program of the npm package `node` is linked with. */
export const nodePackages = ['libstdc++6', 'ca-certificates'] as const;

/** Made images carry the key of their recipe under this label; images of a registry do not, and are left alone. */
export const recipeLabel = 'serverless-kubelet.recipe';

/** Changes when the way a base is made changes, apart from its package list. */
const recipeVersion = 1;

const ingredients: Readonly<Record<BaseName, readonly string[]>> = {
  busybox: [],
  musl: ['getent 1'],
  debian: debianPackages,
  node: [...nodePackages, process.version],
};

/** The key of a base's recipe. */
export function recipeKey(base: BaseName): string {
  const recipe = [base, recipeVersion, ...ingredients[base]];
  return createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 12);
}

/** The image of a bare base, from which the named ones differ by Dockerfile lines alone. */
export function baseImage(base: BaseName): string {
  return `localhost/serverless-kubelet/base-${base}:${recipeKey(base)}`;
}
