import type { TerminalSize } from '../../../../../shared/core/streams/stream-session.ts';
import { lineFeedVariable, quoteWord } from './quoting.ts';
import { recordStart } from './records.ts';

/** What a shell is to run. */
export interface ShellCommand {
  /** At least one; bytes, as the client sent them. */
  readonly words: readonly Buffer[];
  readonly tty: boolean;
  readonly hasStdin: boolean;
  readonly size: TerminalSize;
}

/** Ends the script, and afterwards the command's input. */
export const lastLine = '.\n';

/** One line of a script or of input: its number and length first, by which the far end sees whether it is whole. */
export const formatLine = (number: number, text: string): string => `${number}.${text.length}:${text}\n`;

/** Reads lines until the last; what is done with each is `take`. `out`: where it is reported that a line was read. */
const readLines = (take: string, out: string, onFault: string): string =>
  [
    '__i=0;while IFS= read -r __l;do __k=${__l%%:*};__l=${__l#*:};[ "$__k" = . ]&&break;',
    `[ "$__k" = "$__i.\${#__l}" ]||{ printf "\${__t}f;"${out};${onFault};};`,
    `${take};__i=$((__i+1));printf "\${__t}a;"${out};done`,
  ].join('');

/**
 * What is typed to the shell that ACI has started: one short line. The terminal stops changing what passes through it, where the
 * image has `stty`, and a shell that is not interactive takes the place of the one that is; it reports, reads a script line by
 * line, and runs it. Its arguments: `r` or `c` (raw or cooked), and the terminal's former settings.
 */
export function bootstrapLine(nonce: string): string {
  const loader = [
    `__t="${recordStart(nonce)}";printf "\${__t}r%s;" "$1";__s=`,
    readLines('__s=$__s$__l', '', 'exit 1'),
    '[ "$__k" = . ]||exit 1',
    'eval "$__s"',
  ].join(';');
  const raw = '__s=$(stty -g 2>/dev/null);__m=c;stty raw -echo 2>/dev/null&&__m=r';
  return ` ${raw};exec /bin/sh -c '${loader}' sh "$__m" "$__s"\r`;
}

/**
 * The script that runs a command as a kubelet would: found in $PATH or reported missing, never a builtin; without a terminal its output
 * and its errors go through pipes, so that programs see none; its exit code reported after both. One line, of printable ASCII. Undefined:
 * a word holds a NUL.
 */
export function commandScript({ words, tty, hasStdin, size }: ShellCommand): string | undefined {
  const quoted = words.map(quoteWord);
  const [first] = quoted;
  if (first === undefined || quoted.includes(undefined)) return undefined;
  const begin = 'printf "${__t}b;"';
  const run = (redirections: string): string => `(exec ${quoted.join(' ')} ${redirections})`;
  const prepare = [
    lineFeed,
    `__c=${first}`,
    find,
    'if [ -n "$__e" ];then printf "${__t}x$__e;";exit;fi',
    'exec 3>&1 5>&2',
  ];
  if (tty) return [...prepare, restore(size), 'trap : INT QUIT', begin, inTerminal(run), exit('')].join(';');
  if (!hasStdin) return [...prepare, errors, begin, throughPipes(run, ' </dev/null'), exit('')].join(';');
  const decode = `__d(){ ${readLines('printf "$__l" 2>/dev/null', '>&3', 'break')};}`;
  return [...prepare, errors, decode, begin, `__d|{ ${throughPipes(run, '')};${exit('>&3')};}`].join(';');
}

const lineFeed = `${lineFeedVariable}=$(printf "\\012x");${lineFeedVariable}=\${${lineFeedVariable}%x}`;

/** Sets `__e` to why there is no `__c` to run; empty: there is. */
const find = [
  '__e=;case $__c in */*)if [ ! -e "$__c" ];then __e=s;elif [ -d "$__c" ]||[ ! -x "$__c" ];then __e=p;fi;;',
  '*)__e=n;set -f;IFS=:;for __p in $PATH;do [ -f "${__p:-.}/$__c" ]&&[ -x "${__p:-.}/$__c" ]&&__e=;done;set +f;unset IFS;;esac',
].join('');

const restore = ({ rows, columns }: TerminalSize): string =>
  `[ -z "$2" ]||stty "$2" 2>/dev/null;stty rows ${rows} cols ${columns} 2>/dev/null`;

const exit = (out: string): string => `printf "\${__t}e%s;" "$__r"${out}`;

type Run = (redirections: string) => string;

/** A shell that waits for a command says what killed it, and nobody asked the shell: that is dropped. 5 is its own place for errors. */
const quietly = (what: string): string => `{ ${what};} 2>/dev/null`;

const inTerminal = (run: Run): string => quietly(`${run('2>&5 3>&- 5>&-')};__r=$?`);

/**
 * Writes errors into what comes from the terminal: each line, or part of a long one, between two records. A terminal takes what is
 * written at once as a whole, so no output of the command gets in between; what a shell writes at once is at least a thousand bytes.
 */
const errors = [
  '__q=??????????;__q=$__q$__q$__q$__q;__q=$__q$__q$__q$__q$__q',
  '__p(){ while [ ${#__l} -gt 200 ];do __m=${__l#$__q};printf "${__t}s;%s${__t}o;" "${__l%"$__m"}">&3;__l=$__m;done;printf "${__t}s;%s${__t}$1;" "$__l">&3;}',
  '__o(){ while IFS= read -r __l;do __p n;done;[ -z "$__l" ]||__p o;}',
].join(';');

/**
 * Runs with its errors through `__o` and its output through `cat`, where there is one, and sets `__r` to the exit code. 3 is the terminal, 4
 * carries the code past the pipes, 6 the output past the errors.
 */
function throughPipes(run: Run, input: string): string {
  const command = quietly(`${run('2>&1 1>&6 3>&- 4>&- 5>&- 6>&-')};printf %s "$?" >&4`);
  const parted = `{ ${command}|__o 6>&-;}`;
  return [
    'if command -v cat >/dev/null 2>&1',
    `then __r=$({ ${parted} 6>&1|cat >&3 4>&- 5>&-;} 4>&1${input})`,
    `else __r=$({ ${parted} 6>&3;} 4>&1${input})`,
    'fi',
  ].join(';');
}
