/** Who gets into an exec or an attach, and for how long: over the wire, on a virtual clock. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../infra/local/aci/clock.ts';
import { ScriptedRuntime } from '../../infra/local/aci/runtime/scripted.ts';
import { createCertificateAuthority } from '../../infra/local/pki.ts';
import { ExecClient } from '../local/aci/exec-client.ts';
import { ExecCloud } from '../local/aci/exec-cloud.ts';

describe('sessions, on a virtual clock', () => {
  const clock = new VirtualClock();
  let cloud: ExecCloud;
  beforeAll(async () => {
    cloud = await ExecCloud.start({ runtime: new ScriptedRuntime({ clock }), clock });
    await cloud.put('g', []);
    await clock.advance(1000);
  });
  afterAll(() => cloud.emulator.close());

  it('are entered once: a second use is refused', async () => {
    const invitation = await cloud.exec('g');
    const first = await ExecClient.enter(invitation, cloud.ca);
    first.type('exit\r');
    expect(await first.closed).toBe(1000);
    await expect(ExecClient.enter(invitation, cloud.ca)).rejects.toThrow('404');
  });

  it('two that connect at once: the first password wins', async () => {
    const { webSocketUri, password } = await cloud.exec('g');
    const [one, other] = await Promise.all([
      ExecClient.connect(webSocketUri, cloud.ca),
      ExecClient.connect(webSocketUri, cloud.ca),
    ]);
    one.socket.send(password);
    one.type('hello');
    await one.shows('hello');
    other.socket.send(password);
    expect(await other.closed).toBe(1008);
    expect(one.code).toBeUndefined();
  });

  it.each([
    ['a wrong password', (password: string) => `${password.slice(1)}x`],
    ['a line after it', (password: string) => `${password}\n`],
    ['nothing', () => ''],
    ['the password as bytes', (password: string) => Buffer.from(password)],
  ])('are closed for %s, without output', async (_, sent) => {
    const { webSocketUri, password } = await cloud.exec('g');
    const client = await ExecClient.connect(webSocketUri, cloud.ca);
    client.socket.send(sent(password));
    client.type('hello\r');
    expect(await client.closed).toBe(1008);
    expect(client.shown).toBe('');
  });

  it('a wrong password uses the session up', async () => {
    const invitation = await cloud.exec('g');
    const client = await ExecClient.enter({ ...invitation, password: 'x' }, cloud.ca);
    await client.closed;
    await expect(ExecClient.enter(invitation, cloud.ca)).rejects.toThrow('404');
  });

  it('are closed when nothing is said for a minute', async () => {
    const { webSocketUri, password } = await cloud.exec('g');
    const silent = await ExecClient.connect(webSocketUri, cloud.ca);
    await clock.advance(59_000);
    expect(silent.code).toBeUndefined();
    await clock.advance(1000);
    expect(await silent.closed).toBe(1008);
    const patient = await ExecClient.enter({ webSocketUri, password }, cloud.ca);
    patient.type('hello');
    await patient.shows('hello');
    await clock.advance(3_600_000);
    patient.type(' there');
    await patient.shows('hello there');
  });

  it('are forgotten after five minutes', async () => {
    const [early, late] = [await cloud.exec('g'), await cloud.exec('g')];
    await clock.advance(299_000);
    expect((await ExecClient.enter(early, cloud.ca)).code).toBeUndefined();
    await clock.advance(1000);
    await expect(ExecClient.enter(late, cloud.ca)).rejects.toThrow('404');
  });

  it('are those of their kind, and no others', async () => {
    const exec = await cloud.exec('g');
    const attach = await cloud.attach('g');
    const swapped = [exec, attach].map(({ webSocketUri: uri, password }) => ({
      webSocketUri: uri.includes('/exec')
        ? uri.replace('execstream', 'logstream')
        : uri.replace('logstream', 'execstream'),
      password,
    }));
    for (const one of swapped) await expect(ExecClient.follow(one, cloud.ca)).rejects.toThrow('404');
    const unknown = exec.webSocketUri.replace(/[0-9a-f]{8}-/u, '00000000-');
    await expect(ExecClient.connect(unknown, cloud.ca)).rejects.toThrow('404');
    await expect(ExecClient.connect(exec.webSocketUri.replace('execstream', 'other'), cloud.ca)).rejects.toThrow('404');
    const entered = await ExecClient.enter(exec, cloud.ca);
    entered.type('hello');
    await entered.shows('hello');
  });

  it('of attach want the password in the header, right the first time', async () => {
    const [none, wrong, right] = [await cloud.attach('g'), await cloud.attach('g'), await cloud.attach('g')];
    await expect(ExecClient.connect(none.webSocketUri, cloud.ca)).rejects.toThrow('401');
    await expect(ExecClient.follow({ ...wrong, password: 'x' }, cloud.ca)).rejects.toThrow('401');
    await expect(ExecClient.follow(wrong, cloud.ca)).rejects.toThrow('404');
    expect((await ExecClient.follow(right, cloud.ca)).code).toBeUndefined();
    await expect(ExecClient.follow(right, cloud.ca)).rejects.toThrow('404');
  });

  it('trust no certificate but that of ARM’s authority', async () => {
    const other = await createCertificateAuthority('another');
    await expect(ExecClient.enter(await cloud.exec('g'), other.certPem)).rejects.toThrow(/certificate|signature/u);
  });

  it('are cut when the emulator ends', async () => {
    const runtime = new ScriptedRuntime({ clock });
    const short = await ExecCloud.start({ runtime, clock });
    await short.put('g', []);
    await clock.advance(1000);
    const client = await short.enter('g');
    const log = await short.follow('g');
    await short.emulator.close();
    expect(await Promise.all([client.closed, log.closed])).toEqual([1006, 1006]);
    expect(runtime.sandboxes).toEqual([]);
  });
});
