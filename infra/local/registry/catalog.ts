/** The host name of the laptop cloud's registry: nobody else's, and known to the app and the emulator alone. */
export const localRegistry = 'registry.local';

/** An image of the local registry: busybox, files of its own, and a config. */
export interface LocalImage {
  /** Of {@link localRegistry}. */
  readonly repository: string;
  /** An engine keeps what it pulled: a change of the image is a new tag. */
  readonly tag: string;
  /** By path; all may be run by everybody. */
  readonly files: Readonly<Record<string, string>>;
  /** The members of the image config that have to do with running it. */
  readonly config: {
    readonly Entrypoint?: readonly string[];
    readonly Cmd?: readonly string[];
    readonly User?: string;
    readonly WorkingDir?: string;
    readonly Env?: readonly string[];
  };
}

const script = (...lines: readonly string[]): string => ['#!/bin/sh', ...lines, ''].join('\n');

const path = 'PATH=/usr/local/bin:/usr/bin:/bin';

/** Images as charts have them: with an entrypoint, a user, a folder to work in. */
export const localImages: readonly LocalImage[] = [
  // What fetches the agent from the app, where that is tried.
  { repository: 'busybox', tag: '1', files: {}, config: { Cmd: ['sh'], Env: [path] } },
  {
    repository: 'web',
    tag: '1',
    files: {
      'usr/local/bin/entrypoint': script('echo "entrypoint: uid $(id -u) runs $*"', 'exec "$@"'),
      'srv/index.html': 'from the image\n',
    },
    config: {
      Entrypoint: ['/usr/local/bin/entrypoint'],
      Cmd: ['httpd', '-f', '-p', '8080', '-h', '/srv'],
      User: '101',
      Env: [path],
    },
  },
  {
    // Without arguments it does nothing: there is no Cmd.
    repository: 'worker',
    tag: '1',
    files: {
      'usr/local/bin/worker': script(
        'if [ $# = 0 ]; then echo "usage: worker --queue NAME"; exit 64; fi',
        'trap \'echo "worker: stopped"; exit 0\' TERM',
        'echo "worker: started with $*"',
        'while true; do sleep 1 & wait $!; done',
      ),
    },
    config: { Entrypoint: ['/usr/local/bin/worker'], User: '1000:1000', Env: [path] },
  },
  {
    repository: 'tools',
    tag: '1',
    files: { 'workspace/.keep': '' },
    config: { Cmd: ['sh'], User: '1000', WorkingDir: '/workspace', Env: [path] },
  },
];
