/** The emulator with its port of exec, and a client of ARM that follows where it leads. */
import { vi } from 'vitest';
import { startEmulator } from '../../../infra/local/aci/emulator.ts';
import type { EmulatorStart, RunningEmulator } from '../../../infra/local/aci/emulator.ts';
import type { ExecKnobs } from '../../../infra/local/aci/exec/knobs.ts';
import { createCertificateAuthority, issueCertificate } from '../../../infra/local/pki.ts';
import { ExecClient } from './exec-client.ts';
import type { Invitation } from './exec-client.ts';

const subscription = '11111111-1111-4111-8111-111111111111';
const groupsPath = `/subscriptions/${subscription}/resourceGroups/rg/providers/Microsoft.ContainerInstance/containerGroups`;

interface Sent {
  readonly status: number;
  readonly body: Invitation;
}

/** ARM, and what its answers lead to. */
export class ExecCloud {
  readonly emulator: RunningEmulator;
  /** Of the certificate authority. */
  readonly ca: string;

  private constructor(emulator: RunningEmulator, ca: string) {
    this.emulator = emulator;
    this.ca = ca;
  }

  /** Groups are provisioned at once, and stopped without grace. */
  static async start(rest: Pick<EmulatorStart, 'runtime' | 'clock'>): Promise<ExecCloud> {
    const authority = await createCertificateAuthority('exec test');
    const pair = await issueCertificate(authority, {
      commonName: 'arm',
      ipAddresses: ['127.0.0.1'],
      usages: ['server'],
    });
    const scope = `/subscriptions/${subscription}`;
    const emulator = await startEmulator({
      ...rest,
      subscriptionId: subscription,
      resourceGroups: ['rg'],
      locations: ['westeurope'],
      tls: { cert: pair.certPem, key: pair.keyPem },
      knobs: { timingsScale: 0, stopGraceSeconds: 0 },
      principals: [{ clientId: 'c', objectId: 'c', assignments: [{ actions: ['*'], scope }] }],
    });
    return new ExecCloud(emulator, authority.certPem);
  }

  async send(method: string, path: string, body: unknown = ''): Promise<Sent> {
    const { core } = this.emulator;
    const [principal] = core.state.principals;
    if (principal === undefined) throw new Error('nobody may do anything');
    const { token } = core.state.tokens.issue(principal, this.emulator.armUrl);
    const answer = await core.arm({
      method,
      url: `${groupsPath}/${path}?api-version=2023-05-01`,
      headers: { authorization: `Bearer ${token}` },
      body: body === '' ? '' : JSON.stringify(body),
      origin: this.emulator.armUrl,
    });
    return { status: answer.status, body: answer.body as unknown as Invitation };
  }

  /** Puts a group of one container `c`. */
  async put(name: string, command: readonly string[], rest: object = {}): Promise<void> {
    const properties = { image: 'a', command, resources: { requests: { cpu: 1, memoryInGB: 1 } }, ...rest };
    const group = { osType: 'Linux', restartPolicy: 'Never', containers: [{ name: 'c', properties }] };
    const { status, body } = await this.send('PUT', name, { location: 'westeurope', properties: group });
    if (status !== 201) throw new Error(JSON.stringify(body));
  }

  /** Resolves when the groups are provisioned. */
  async provisioned(...names: readonly string[]): Promise<void> {
    await vi.waitFor(
      async () => {
        for (const name of names)
          if ((await this.send('POST', `${name}/containers/c/attach`)).status !== 200) throw new Error(name);
      },
      { timeout: 30_000, interval: 20 },
    );
  }

  async exec(name: string, command = 'sh', rows = 24, cols = 80): Promise<Invitation> {
    const sent = await this.send('POST', `${name}/containers/c/exec`, { command, terminalSize: { rows, cols } });
    if (sent.status !== 200) throw new Error(JSON.stringify(sent.body));
    return sent.body;
  }

  async attach(name: string): Promise<Invitation> {
    return (await this.send('POST', `${name}/containers/c/attach`)).body;
  }

  /** An exec that has been entered. */
  async enter(name: string, command = 'sh'): Promise<ExecClient> {
    return ExecClient.enter(await this.exec(name, command), this.ca);
  }

  /** A shell that has shown its prompt. */
  async shell(name: string): Promise<ExecClient> {
    const client = await this.enter(name);
    await client.shows(/[#$] $/u);
    return client;
  }

  async follow(name: string): Promise<ExecClient> {
    return ExecClient.follow(await this.attach(name), this.ca);
  }

  async turn(knobs: Partial<ExecKnobs>): Promise<void> {
    const init = { method: 'POST', body: JSON.stringify(knobs) };
    const answer = await fetch(`${this.emulator.adminUrl}/_emulator/exec`, init);
    if (!answer.ok) throw new Error(await answer.text());
  }
}
