import { describe, expect, it } from 'vitest';
import { parsePortQuery, parseStreamQuery } from '../../../infra/cluster/relay/kubelet/stream-query.ts';

describe('the query of an exec', () => {
  it.each([
    ['input=1&output=1&error=1&command=ls', { stdin: true, stdout: true, stderr: true, tty: false }],
    ['output=1&command=ls', { stdin: false, stdout: true, stderr: false, tty: false }],
    ['output=1&error=1&tty=1&command=ls', { stdin: false, stdout: true, stderr: false, tty: true }],
    ['output=1&input=true&command=ls', { stdin: false, stdout: true, stderr: false, tty: false }],
  ])('%s', (query, options) => {
    expect(parseStreamQuery(`/exec/ns/p/c?${query}`, 'exec')).toMatchObject({ ok: true, options });
  });

  it('an argument is bytes, in the order of the query', () => {
    const query = 'command=sh&output=1&command=-c&command=a%20b+c%3D%26%25&command=%FF%00%0A&command=&command=x=y';
    const parsed = parseStreamQuery(`/exec/ns/p/c?${query}`, 'exec');
    expect(parsed.ok && parsed.command.map((word) => word.toString('latin1'))).toEqual([
      'sh',
      '-c',
      'a b c=&%',
      '\u00FF\0\n',
      '',
      'x=y',
    ]);
  });

  it.each([
    ['', 'you must specify at least 1 of stdin, stdout, stderr'],
    ['command=ls', 'you must specify at least 1 of stdin, stdout, stderr'],
    ['error=1&tty=1&command=ls', 'you must specify at least 1 of stdin, stdout, stderr'],
    ['output=0&command=ls', 'you must specify at least 1 of stdin, stdout, stderr'],
    ['output=1', 'you must specify at least one command for the container'],
  ])('%j: %s', (query, message) => {
    expect(parseStreamQuery(`/exec/ns/p/c?${query}`, 'exec')).toEqual({ ok: false, message });
  });

  it('an attach has no command', () => {
    expect(parseStreamQuery('/attach/ns/p/c?output=1&command=ls', 'attach')).toMatchObject({ ok: true, command: [] });
  });
});

describe('the query of a port-forward over channels', () => {
  it.each([
    ['port=80', [80]],
    ['port=80,81&port=65535', [80, 81, 65_535]],
  ])('%s', (query, ports) => expect(parsePortQuery(`/x?${query}`)).toEqual({ ok: true, ports }));

  it.each([
    ['', 'query parameter "port" is required'],
    ['port=', 'query parameter "port" cannot be empty'],
    ['port=http', 'unable to parse "http" as a port'],
    ['port=80,', 'unable to parse "80," as a port'],
    ['port=-1', 'unable to parse "-1" as a port'],
    ['port=65536', 'unable to parse "65536" as a port'],
    ['port=0', 'port "0" must be > 0'],
    [`port=${Array.from({ length: 65 }, () => 80).join(',')}`, 'at most 64 ports'],
  ])('%j: %s', (query, message) => expect(parsePortQuery(`/x?${query}`)).toEqual({ ok: false, message }));
});
