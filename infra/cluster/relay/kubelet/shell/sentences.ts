import type { Outcome } from '../streams/command-streams.ts';

/** What a client reads; in a kubelet's and its runtime's words where they have some. */
export const shellSentences = {
  cutOff: 'the connection to the container ended before its command did; nobody knows its exit code',
  inputLost: 'a part of the input was lost on its way into the container, and the command was not given the rest',
  noInput:
    'input without a terminal needs "stty" in the image, because Azure Container Instances passes it through a terminal; with -t it goes without',
  nul: 'an argument holds a NUL',
  cooked:
    'note: the image has no "stty", so what the command writes passes a terminal that changes line ends: CR LF is shown as LF',
  'not-found': (word: string) => `exec: ${JSON.stringify(word)}: executable file not found in $PATH`,
  'no-such-file': (word: string) => `exec: ${JSON.stringify(word)}: stat ${word}: no such file or directory`,
  'not-executable': (word: string) => `exec: ${JSON.stringify(word)}: permission denied`,
} as const;

export const farFailure = (why: string): Outcome => ({
  kind: 'failed',
  message: `error executing command in container: ${why}`,
});

/** What a terminal shows of the line that was typed (script.ts). */
const typedLine = /__s=\$\(stty[^]*?(sh "\$__m" "\$__s"|$)/;
const mostShown = 300;

/** The shell never reported: it is not there, or ends at once, or is none. `words`: what came instead. */
export function noShell(words: string, isLate: boolean): Outcome {
  const shown = words
    .replace(typedLine, ' ')
    .replaceAll(/[^\P{C}\n]+/gu, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, mostShown);
  const instead = shown === '' ? '' : `; the container wrote: ${shown}`;
  return farFailure(
    isLate
      ? `the image's /bin/sh did not answer in time, through which commands run on this node${instead}`
      : `exec: "/bin/sh": no such file or directory, or it ended at once; commands run on this node through the image's shell${instead}`,
  );
}
