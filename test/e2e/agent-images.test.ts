/** Whatever its image is, a program sees and does the same with the agent as without it, in real containers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureImages } from '../../infra/local/aci/images.ts';
import { openImageStore } from '../../infra/local/aci/runtime/engine/backend.ts';
import { createEngineRuntime } from '../../infra/local/aci/runtime/engine.ts';
import type { EngineRuntime } from '../../infra/local/aci/runtime/engine.ts';
import type { RunningContainer } from '../../infra/local/aci/runtime/runtime.ts';
import { buildAgent } from '../../infra/package/agent.ts';
import type { AgentMode } from '../../shared/core/agent/agent-facts.ts';
import { grouped, node, references } from '../core/agent/fixtures.ts';
import { podOf, rawContainer } from '../core/pod/fixtures.ts';
import type { Raw } from '../core/pod/fixtures.ts';
import { repository, whyNoGo } from '../fixtures/agent-go.ts';
import { startAppForAgents, startGroup } from './agent-rig.ts';
import type { AppForAgents } from './agent-rig.ts';
import { imageShapes, makeShapes } from './image-shapes.ts';
import type { ImageShape } from './image-shapes.ts';
import { until } from './until.ts';

const reason = await whyNoGo();
const folder = mkdtempSync(join(tmpdir(), 'agent-images-'));
let runtime: EngineRuntime | undefined;
let app: AppForAgents | undefined;

const rig = (): { readonly runtime: EngineRuntime; readonly app: AppForAgents } => {
  if (runtime === undefined || app === undefined) throw new Error('nothing has been started');
  return { runtime, app };
};

interface Wish {
  readonly mode: AgentMode;
  readonly container: Raw;
  /** Instead of the app's own address. */
  readonly reportUrl?: string;
}

async function start(shape: ImageShape, { mode, container, ...address }: Wish): Promise<RunningContainer> {
  const { runtime: engine, app: hears } = rig();
  const agent = { ...hears.access, ...address };
  const known = references({}, { agent, images: { [shape.image]: { ok: true, value: shape.config } } });
  const pod = podOf({
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    containers: [rawContainer({ image: shape.image, ...container })],
  });
  const { body } = grouped(pod, known, { ...node, agent: { ...hears.facts, mode } });
  expect(body.initContainers).toHaveLength(mode === 'never' ? 0 : 1);
  const main = (await startGroup(engine, body)).get('main');
  if (main === undefined) throw new Error('the pod has no container');
  return main;
}

const logOf = (container: RunningContainer): Promise<string> => container.readLogs({ timestamps: false });

/** With words of a shell alone: an image may have no other program. Process numbers are what a parent changes. */
const facts = [
  'read -r line </proc/$$$$/cmdline; echo "argv $line"; echo "words $0 $# [$1] [$2]"',
  'pwd; umask; export -p',
  'while read -r line; do case $line in Uid*|Gid*|Groups*|Cap*|NoNewPrivs*|Sig[IB]*|ShdPnd*) echo "$line";; esac; done </proc/$$$$/status',
  'for f in /proc/$$$$/fd/*; do echo "${f##*/fd/}"; done',
  'while read -r line; do case $line in Max*) echo "$line";; esac; done </proc/$$$$/limits',
  'read -r input && echo "read $input" || echo no input',
  'echo err >&2; exit 7',
].join('; ');

/** As arguments of the image's own entrypoint where that is a shell. */
const scripted = (shape: ImageShape, script: string, ...words: readonly string[]): Raw =>
  shape.shell.length > 0 && shape.config.entrypoint.length === 0
    ? { command: [...shape.shell, script, ...words] }
    : { args: [...shape.shell, script, ...words] };

/** Each pod has its own names: what differs of two pods, not of the agent. */
const lines = (text: string): readonly string[] =>
  text
    .trim()
    .split('\n')
    .filter((line) => !/^(export|declare -x) HOSTNAME=/.test(line))
    .toSorted();

const table = Object.entries<ImageShape>(imageShapes);
const ups = ['HUP', 'INT', 'QUIT', 'TERM', 'USR1', 'WINCH'] as const;

describe.skipIf(reason !== undefined)(
  `images with the agent and without${reason === undefined ? '' : ` are not run: ${reason}`}`,
  () => {
    beforeAll(async () => {
      await ensureImages({ log: () => {} });
      await makeShapes(await openImageStore('podman'), folder);
      const agent = await buildAgent(repository, folder);
      runtime = await createEngineRuntime({ stateDir: join(folder, 'engine'), engine: 'podman', log: () => {} });
      app = await startAppForAgents(agent, runtime.bridge.gateway);
    });
    afterAll(async () => {
      await runtime?.close();
      await app?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    it.each(table)('%s: the program sees the same', async (_, shape) => {
      const container = scripted(shape, facts, 'name', 'a  b', '*"$$(x)');
      const seen = await Promise.all(
        (['never', 'always'] as const).map(async (mode) => {
          const main = await start(shape, { mode, container });
          const { exitCode } = await main.wait();
          return { exitCode, lines: lines(await logOf(main)) };
        }),
      );
      const [without, withAgent] = seen;
      expect(without?.exitCode).toBe(7);
      expect(withAgent).toEqual(without);
    });

    it.each(table)('%s: the program is stopped the same', async (_, shape) => {
      const traps = ups.map((signal) => `trap "echo got ${signal}; exit 5" ${signal}`).join('; ');
      const container = scripted(shape, `${traps}; echo up; while :; do ${shape.pause}; done`);
      const seen = await Promise.all(
        (['never', 'always'] as const).map(async (mode) => {
          const main = await start(shape, { mode, container });
          await until(
            'its first word',
            () => logOf(main),
            (text) => text.includes('up'),
          );
          await main.stop(30);
          return { ...(await main.wait()), finishedAt: 0, log: await logOf(main) };
        }),
      );
      // That of the image is for a drain: ACI asks every container by the same signal.
      expect(seen[0]).toMatchObject({ exitCode: 5, log: 'up\ngot TERM\n' });
      expect(seen[1]).toEqual(seen[0]);
    });

    it.each([
      ['refuses', 'http://127.0.0.1:9'],
      ['has no name', 'https://app.invalid'],
      ['never answers', 'https://192.0.2.1'],
    ])('a program whose agent has an app that %s runs and ends the same', async (_, origin) => {
      const container = scripted(imageShapes.debian, 'echo out; echo err >&2; exit 7');
      const main = await start(imageShapes.debian, { mode: 'always', container, reportUrl: `${origin}/reports` });
      expect((await main.wait()).exitCode).toBe(7);
      expect(lines(await logOf(main))).toEqual(['err', 'out']);
    });

    it.each<[string, readonly string[], string, number]>([
      ['is not there', ['nope'], 'exec: "nope": executable file not found in $PATH', 127],
      ['is not at its path', ['/nope'], 'exec: "/nope": stat /nope: no such file or directory', 127],
      ['is a folder', ['/proc'], 'exec: "/proc": is a directory', 126],
      ['may not be executed', ['/etc/hosts'], 'exec: "/etc/hosts": permission denied', 126],
    ])('a program that %s: a kubelet’s words in the report', async (_, command, message, exitCode) => {
      for (const shape of [imageShapes.distroless, imageShapes.debian]) {
        const from = rig().app.heard.length;
        const main = await start(shape, { mode: 'always', container: { command } });
        expect((await main.wait()).exitCode).toBe(exitCode);
        const last = rig().app.heard.slice(from).at(-1);
        expect(last?.state.ended).toEqual({ exitCode, reason: 'StartError', message });
        expect(await logOf(main)).toBe('');
      }
    });
  },
);
