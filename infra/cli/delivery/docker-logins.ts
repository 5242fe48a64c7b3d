import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { imageLogins } from '../../../shared/core/pod/registry-credentials.ts';
import { credentialLocation } from '../../../shared/core/pod/image-reference.ts';
import type { RegistryLogin } from '../../../shared/ports/image-registry.ts';
import { parseJson } from '../../../shared/wire/json-text.ts';
import { runProgram } from '../program.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What `docker login`, `podman login` and `az acr login` leave; of other members nobody here wants to know. */
const configSchema = z.object({
  auths: z.record(z.string(), z.looseObject({ identitytoken: z.string().optional().catch(undefined) })).catch({}),
  credsStore: z.string().optional().catch(undefined),
  credHelpers: z.record(z.string(), z.string()).catch({}),
});
type DockerConfig = z.infer<typeof configSchema>;

const helperAnswer = z.object({ Username: z.string().min(1), Secret: z.string().min(1) });

/** The user of a registry's own token, as Azure's registries name it; others do not look at the name. */
const tokenUser = '00000000-0000-0000-0000-000000000000';
/** What a helper calls the user of a token. */
const helperTokenUser = '<token>';

/** Files in which the operator's logins may be, as podman and docker look for them. */
function configFiles(environment: Environment): readonly string[] {
  const { HOME, XDG_RUNTIME_DIR, REGISTRY_AUTH_FILE, DOCKER_CONFIG } = environment;
  const home = (...path: readonly string[]) => (HOME === undefined ? undefined : join(HOME, ...path));
  return [
    REGISTRY_AUTH_FILE,
    DOCKER_CONFIG === undefined ? home('.docker', 'config.json') : join(DOCKER_CONFIG, 'config.json'),
    XDG_RUNTIME_DIR === undefined ? undefined : join(XDG_RUNTIME_DIR, 'containers', 'auth.json'),
    home('.config', 'containers', 'auth.json'),
  ].filter((file) => file !== undefined);
}

function readConfig(file: string): { readonly bytes: Buffer; readonly config: DockerConfig } | undefined {
  try {
    const bytes = readFileSync(file);
    const parsed = configSchema.safeParse(parseJson(bytes.toString('utf8')));
    return parsed.success ? { bytes, config: parsed.data } : undefined;
  } catch {
    // Not there, or not ours to read: there is no login in it then.
    return undefined;
  }
}

/**
 * The operator's own logins for a repository: from credential helpers, and what the files themselves hold. What is not
 * there, or can't be read, gives none; that nobody is let in is reported by the registry.
 */
export async function dockerLogins(
  { registry, repository }: { readonly registry: string; readonly repository: string },
  environment: Environment,
  signal: AbortSignal,
): Promise<readonly RegistryLogin[]> {
  const found: RegistryLogin[] = [];
  for (const file of configFiles(environment)) {
    const read = readConfig(file);
    if (read === undefined) continue;
    const { config, bytes } = read;
    const key = keyOf(config, registry);
    const helper = config.credHelpers[key ?? registry] ?? config.credHelpers[registry] ?? config.credsStore;
    const kept = helper === undefined ? undefined : await askHelper(helper, key ?? registry, { environment, signal });
    const token = key === undefined ? undefined : config.auths[key]?.identitytoken;
    found.push(
      ...(kept === undefined ? [] : [kept]),
      ...(token === undefined ? [] : [{ username: tokenUser, password: token }]),
      ...imageLogins(`${registry}/${repository}`, [{ name: file }], new Map([[file, secretOf(bytes)]])),
    );
  }
  return found;
}

/** As the registry is written there: Docker Hub by a URL. */
const keyOf = ({ auths }: DockerConfig, registry: string): string | undefined =>
  Object.keys(auths).find((key) => credentialLocation(key).host === registry);

const secretOf = (bytes: Uint8Array) => ({
  type: 'kubernetes.io/dockerconfigjson',
  data: { '.dockerconfigjson': bytes },
});

const helperTimeoutMs = 10_000;

/** A credential helper is a program that is asked on its standard input (docker-credential-helpers). */
async function askHelper(
  helper: string,
  server: string,
  run: { readonly environment: Environment; readonly signal: AbortSignal },
): Promise<RegistryLogin | undefined> {
  if (!/^[\w.-]+$/.test(helper)) return undefined;
  const options = { ...run, input: server, timeoutMs: helperTimeoutMs };
  const { code, stdout } = await runProgram(`docker-credential-${helper}`, ['get'], options);
  const answer = code === 0 ? helperAnswer.safeParse(parseJson(stdout)) : undefined;
  if (answer?.success !== true) return undefined;
  const { Username, Secret } = answer.data;
  return { username: Username === helperTokenUser ? tokenUser : Username, password: Secret };
}
