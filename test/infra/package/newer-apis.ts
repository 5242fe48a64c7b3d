/**
 * APIs that Node has not always had, each with the first version that has it (https://nodejs.org/api, "History", and
 * https://node.green). What a minifier leaves of them is what is looked for.
 */
interface NewerApi {
  readonly name: string;
  readonly since: readonly [major: number, minor: number];
  readonly seen: RegExp;
}

const api = (name: string, major: number, minor = 0, seen = new RegExp(`\\b${name.replaceAll('.', '\\.')}\\b`)) => ({
  name,
  since: [major, minor] as const,
  seen,
});

const newerApis: readonly NewerApi[] = [
  api('import.meta.dirname', 20, 11),
  api('import.meta.filename', 20, 11),
  api('styleText', 20, 12),
  api('process.loadEnvFile', 20, 12),
  api('process.getBuiltinModule', 20, 16),
  api('Object.groupBy', 21),
  api('Map.groupBy', 21),
  api('navigator', 21, 0, /\bglobalThis\.navigator\b(?!\?)/),
  api('Promise.withResolvers', 22),
  api('URL.parse', 22, 1),
  api('Array.fromAsync', 22),
  api('Set methods', 22, 0, /\.(isSubsetOf|isSupersetOf|isDisjointFrom|symmetricDifference)\(/),
  api('Set methods', 22, 0, /\bnew Set\([^()]*\)\.(union|intersection|difference)\(/),
  api(
    'iterator helpers',
    22,
    0,
    /\.(values|keys|entries)\(\)\.(map|filter|take|drop|flatMap|reduce|toArray|forEach|some|every|find)\(/,
  ),
  api('iterator helpers', 22, 0, /\bIterator\.from\(/),
  api('new WebSocket', 22, 0, /\bnew (globalThis\.)?WebSocket\(/),
  api('fs.glob', 22, 0, /\bglobSync\b/),
  api('node:sqlite', 22, 5),
  api('matchesGlob', 22, 5),
  api('Promise.try', 23),
  api('RegExp.escape', 24),
  api('Error.isError', 24),
  api('Math.f16round', 24),
  api('Float16Array', 24, 0, /\bnew Float16Array\b/),
  api('URLPattern', 24, 0, /\bnew URLPattern\b/),
  api('Uint8Array.fromBase64', 25),
  api('using', 24, 0, /[;{}]\s*(await )?using \w+\s*=/),
];

/** The names of those that `code` uses and that are newer than `oldest`. */
export function newerApisIn(code: string, [major, minor]: readonly [number, number]): readonly string[] {
  const isNewer = ({ since: [ofMajor, ofMinor] }: NewerApi): boolean =>
    ofMajor > major || (ofMajor === major && ofMinor > minor);
  return newerApis.filter((one) => isNewer(one) && one.seen.test(unguarded(code, one.name))).map(({ name }) => name);
}

/** Without uses that are asked for first: `URL.parse?(e,t)=>URL.parse(e,t):…`. */
function unguarded(code: string, name: string): string {
  const escaped = name.replaceAll('.', '\\.');
  return code.replaceAll(new RegExp(`\\b${escaped}\\?(?!\\.)[^;]{0,80}?\\b${escaped}\\(`, 'g'), '');
}
