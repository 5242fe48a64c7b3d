import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { podEvents } from '../../../shared/core/pod-events/table.ts';

const root = join(import.meta.dirname, '..', '..', '..');

export const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** The code of some folders, all files in one text. */
export const codeOf = (...folders: readonly string[]): string =>
  folders
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .map((file) => read(join(folder, file))),
    )
    .join('\n');

const matches = (text: string, pattern: RegExp): readonly string[] =>
  [...text.matchAll(pattern)].map((match) => match[1] ?? '');

const waiting = read('shared/core/status/waiting.ts');
/** The reasons in it are of the status that ends a stream: clients read it, no pod and no Node has them. */
const endsOfStreams = read('infra/cluster/relay/kubelet/streams/command-status.ts');
const code = codeOf('shared/core', 'shared/app', 'infra/cluster/relay').replace(endsOfStreams, '');

/** Every reason that Kubernetes can see: of events, statuses and conditions. */
export const reasons: ReadonlySet<string> = new Set([
  ...matches(code, /\breason: '([A-Z]\w+)'/g),
  ...matches(code, /\brefusalReason: '([A-Z]\w+)'/g),
  ...Object.values(podEvents).map(({ reason }) => reason),
  ...matches(code, /\brefuse\((?:(?!refuse\()[^\n]){1,300}, '([A-Z]\w+)'\)/g),
  ...matches(code, /const unsupported = '(\w+)'/g),
  ...matches(waiting.slice(0, waiting.indexOf(']);')), /^ {2}'([A-Z]\w+)',$/gm),
  ...matches(code, /\breason: [^'\n;]* \? '([A-Z]\w+)' : '[A-Z]\w+'/g),
  ...matches(code, /\breason: [^'\n;]* \? '[A-Z]\w+' : '([A-Z]\w+)'/g),
]);

/** Every constant message of the app's log. */
export const messages: ReadonlySet<string> = new Set([
  ...matches(code + codeOf('shared/adapters'), /\blog\.(?:info|warn)\(\s*'([^'\n]+)'/g),
  ...matches(read('shared/app/load-deps.ts'), /^ {2}\w+: '([^'\n]+)',$/gm),
]);
