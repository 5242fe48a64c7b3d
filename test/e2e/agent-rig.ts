/** Groups with the agent, as ACI would run them, in real containers; what stands for the app serves the agent and hears it. */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { gzipSync } from 'node:zlib';
import * as z from 'zod';
import type { EngineRuntime } from '../../infra/local/aci/runtime/engine.ts';
import type { ContainerSpec, RunningContainer, SandboxVolume } from '../../infra/local/aci/runtime/runtime.ts';
import type { BuiltAgent } from '../../infra/package/agent.ts';
import type { AgentAccess, AgentFacts } from '../../shared/core/agent/agent-facts.ts';
import type { GroupBody, GroupInitContainer, GroupVolume } from '../../shared/core/group/group.ts';

const ending = z.object({ exitCode: z.number(), reason: z.string(), message: z.string().optional() });
const report = z.object({
  container: z.string(),
  state: z.object({
    phase: z.string(),
    started: z.boolean().optional(),
    ready: z.boolean().optional(),
    restarts: z.number().optional(),
    ended: ending.optional(),
  }),
  events: z.array(z.object({ reason: z.string(), message: z.string() })).optional(),
});
export type HeardReport = z.infer<typeof report>;

/** The app, as far as an agent sees it. */
export interface AppForAgents {
  readonly facts: AgentFacts;
  readonly access: AgentAccess;
  /** All that was signed with the key of `access`, in their order. */
  readonly heard: readonly HeardReport[];
  close(): Promise<void>;
}

export async function startAppForAgents(agent: BuiltAgent, host: string): Promise<AppForAgents> {
  const heard: HeardReport[] = [];
  const key = Buffer.from('the key of all pods of this test');
  const program = gzipSync(readFileSync(agent.file), { level: 1 });
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.url === `/api/agent/${agent.sha256}`) return void response.end(program);
      const body = Buffer.concat(chunks);
      const signature = `SK-HMAC-SHA256 ${createHmac('sha256', key).update(body).digest('hex')}`;
      const isSigned = request.headers.authorization === signature;
      if (isSigned) heard.push(report.parse(JSON.parse(body.toString())));
      response.writeHead(isSigned ? 204 : 401).end();
    });
  });
  server.listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const appUrl = `http://${host}:${port}`;
  return {
    facts: { mode: 'auto', download: 'always', downloadImage: 'busybox', appUrl, packaged: agent.sha256 },
    access: {
      reportUrl: `${appUrl}/api/pods/uid/reports`,
      filesUrl: `${appUrl}/api/pods/uid/files`,
      kid: 'r1',
      key: key.toString('base64'),
      nonce: 'nonce',
    },
    heard,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function sandboxVolume(volume: GroupVolume): SandboxVolume {
  if ('secret' in volume) {
    const files = Object.entries(volume.secret).map(([file, data]) => [file, Buffer.from(data, 'base64')]);
    return { name: volume.name, kind: 'files', files: Object.fromEntries(files) };
  }
  return { name: volume.name, kind: 'empty' };
}

const specOf = ({ name, image, command, environmentVariables, volumeMounts }: GroupInitContainer): ContainerSpec => ({
  name,
  image,
  ...(command && { command }),
  environment: Object.fromEntries(environmentVariables.map((one) => [one.name, one.secureValue ?? one.value ?? ''])),
  mounts: volumeMounts.map(({ name: volume, mountPath, readOnly = false }) => ({ volume, mountPath, readOnly })),
});

let groups = 0;

/** The containers of a group whose init containers have succeeded, one after the other; none is started again. */
export async function startGroup(
  runtime: EngineRuntime,
  { volumes, initContainers, containers }: GroupBody,
): Promise<ReadonlyMap<string, RunningContainer>> {
  groups += 1;
  const { id } = await runtime.createSandbox({
    id: `group-${groups}`,
    hostname: `aci-${groups}`,
    volumes: volumes.map(sandboxVolume),
  });
  const start = async (container: GroupInitContainer): Promise<RunningContainer> => {
    const started = await runtime.startContainer(id, specOf(container));
    if (started.kind === 'start-fault') throw new Error(`${container.name}: ${started.message}`);
    return started;
  };
  for (const container of initContainers) {
    const running = await start(container);
    const { exitCode } = await running.wait();
    if (exitCode !== 0)
      throw new Error(`${container.name} ended with ${exitCode}: ${await running.readLogs({ timestamps: false })}`);
  }
  const started = await Promise.all(
    containers.map(async (container) => [container.name, await start(container)] as const),
  );
  return new Map(started);
}
