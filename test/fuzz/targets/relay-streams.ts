import { SpdyConnection } from '../../../infra/cluster/relay/kubelet/spdy/connection.ts';
import type { SpdyStream } from '../../../infra/cluster/relay/kubelet/spdy/stream.ts';
import { parsePortQuery, parseStreamQuery } from '../../../infra/cluster/relay/kubelet/stream-query.ts';
import { readMessage } from '../../../infra/cluster/relay/kubelet/streams/channel-message.ts';
import { TerminalSizes } from '../../../infra/cluster/relay/kubelet/streams/terminal-sizes.ts';
import {
  chooseProtocol,
  commandProtocols,
  protocolNames,
} from '../../../infra/cluster/relay/kubelet/streams/web-socket-protocols.ts';
import { quoteWord } from '../../../infra/cluster/relay/kubelet/shell/quoting.ts';
import { RecordReader } from '../../../infra/cluster/relay/kubelet/shell/records.ts';
import { FrameReader, FrameWriter, frameTags } from '../../../shared/core/streams/agent-frames.ts';
import { HelloReader } from '../../../shared/core/streams/agent-hello.ts';
import { parsePortPayload } from '../../../shared/core/streams/port-frames.ts';
import { parseAgentExit, parseAgentFault, parseAgentHello } from '../../../shared/wire/agent-session.ts';
import { MemoryTransport } from '../../relay/spdy/memory-transport.ts';
import { recorded } from '../../relay/spdy/recorded.ts';
import type { Dice } from '../dice.ts';
import type { Case, CaseReport, Target } from '../target.ts';

/** What comes over the wires of exec, attach and port-forward: frames, messages, queries, and what a shell or an agent writes. */
export const relayStreams: Target = {
  name: 'relay-streams',
  share: 'relay',
  cases: 6_000,
  testCases: 250,
  open: async () => ({
    run: async (one) => {
      const play = one.dice.pick([playSpdy, playSpdy, playMessage, playQuery, playFarEnd, playFrames, playFrames]);
      return play(one);
    },
  }),
};

/** Frames of Kubernetes' client, some of them bent, in chunks of any size. */
async function playSpdy(one: Case): Promise<CaseReport> {
  const { dice, mutator } = one;
  const frames = Array.from({ length: 1 + dice.below(20) }, () => {
    const frame = dice.pick(Object.values(recorded));
    return dice.chance(0.4) ? mutator.bytes('frame', frame) : frame;
  });
  const all = Buffer.concat([recorded.synError, ...frames]);
  one.show = () => all.toString('hex');
  const transport = new MemoryTransport();
  const streams: SpdyStream[] = [];
  const connection = new SpdyConnection(transport, { mostStreams: 8, onStream: (stream) => streams.push(stream) > 0 });
  transport.send(...chunksOf(all, dice));
  transport.hangUp();
  const violation = await connection.run();
  const held = await Promise.all(streams.map(sizeOf));
  const last = transport.said().at(-1) ?? '';
  const faults = [
    ...(last.startsWith('goaway ') ? [] : [`it ends with ${last}`]),
    ...(streams.length <= 8 ? [] : ['more streams than there may be']),
    ...(held.some((size) => size > all.length) ? ['bytes that nobody sent'] : []),
    ...(streams.some(({ canWrite }) => canWrite) ? ['a stream outlives its connection'] : []),
  ];
  return { outcome: violation === undefined ? 'ended' : 'broken', faults };
}

const chunksOf = (bytes: Buffer, dice: Dice): readonly Buffer[] => {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = 1 + dice.below(200);
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
};

async function sizeOf(stream: SpdyStream): Promise<number> {
  let size = 0;
  for (let bytes = await stream.read(); bytes !== undefined; bytes = await stream.read()) size += bytes.length;
  return size;
}

async function playMessage(one: Case): Promise<CaseReport> {
  const { dice, mutator } = one;
  const header = mutator.text('protocols', 'v5.channel.k8s.io, v4.channel.k8s.io');
  const protocol = chooseProtocol(protocolNames(header), commandProtocols) ?? dice.pick(commandProtocols);
  const message = mutator.bytes(
    'message',
    dice.pick([Buffer.from('\0hello'), Buffer.from('0aGVsbG8='), Buffer.from([255, 0])]),
  );
  const size = mutator.bytes('size', Buffer.from('{"Width":80,"Height":24}'));
  one.show = () => JSON.stringify({ header, message: message.toString('hex'), size: size.toString('latin1') });
  const read = readMessage(message, protocol);
  const sizes = new TerminalSizes().read(size);
  const faults = [
    ...(read.kind === 'data' && read.bytes.length > message.length ? ['a message that grew'] : []),
    ...(sizes.every(({ columns, rows }) => columns >= 1 && columns <= 1000 && rows >= 1 && rows <= 1000)
      ? []
      : ['a window of no size']),
  ];
  return { outcome: read.kind, faults };
}

async function playQuery(one: Case): Promise<CaseReport> {
  const { mutator } = one;
  const query = mutator.text(
    'query',
    'input=1&output=1&error=1&tty=0&command=sh&command=-c&command=echo%20%FF&port=80,81',
  );
  one.show = () => query;
  const exec = parseStreamQuery(`/exec/ns/p/c?${query}`, 'exec');
  const ports = parsePortQuery(`/portForward/ns/p?${query}`);
  const faults = [
    ...(exec.ok && exec.command.length === 0 ? ['no command'] : []),
    ...(exec.ok && !exec.options.stdin && !exec.options.stdout && !exec.options.stderr ? ['no stream'] : []),
    ...(exec.ok ? exec.command.flatMap(wordFaults) : []),
    ...(ports.ok && ports.ports.some((port) => port < 1 || port > 65_535) ? ['a port that is none'] : []),
  ];
  return { outcome: `${exec.ok ? 'exec' : 'no'} ${ports.ok ? 'ports' : 'none'}`, faults };
}

/** A terminal acts on what is no printable ASCII. */
const wordFaults = (word: Buffer): readonly string[] =>
  /^[ -~]*$/.test(quoteWord(word) ?? '') ? [] : ['a word that a terminal acts on'];

async function playFarEnd(one: Case): Promise<CaseReport> {
  const { dice, mutator } = one;
  const nonce = '0123456789abcdef01234567';
  const mark = (text: string): Buffer => Buffer.from(`\u001E${nonce}${text};`);
  const good = Buffer.concat([
    Buffer.from('$ '),
    mark('rr'),
    mark('a'),
    mark('b'),
    Buffer.from('out'),
    mark('s'),
    Buffer.from('err'),
    mark('n'),
    mark('e7'),
  ]);
  const all = mutator.bytes('far end', good);
  one.show = () => all.toString('latin1');
  const reader = new RecordReader(nonce);
  const pieces = chunksOf(all, dice).flatMap((chunk) => [...reader.read(chunk)]);
  const text =
    pieces.reduce((size, piece) => size + (piece.kind === 'text' ? piece.bytes.length : 0), 0) + reader.rest().length;
  const codes = pieces.flatMap((piece) =>
    piece.kind === 'record' && piece.record.kind === 'exit' ? [piece.record.code] : [],
  );
  const faults = [
    ...(text <= all.length ? [] : ['text that nobody wrote']),
    ...(codes.every((code) => code >= 0 && code <= 999) ? [] : ['a code that is none']),
    ...(reader.rest().length <= nonce.length + 16 ? [] : ['more is held back than a record has']),
  ];
  return { outcome: codes.length === 0 ? 'no end' : 'end', faults };
}

interface ReadAgent {
  readonly state: 'hello' | 'frames' | 'none';
  readonly count: number;
  readonly isBroken: boolean;
}

function readAgent(hello: HelloReader, chunks: readonly Uint8Array[]): ReadAgent {
  const reader = new FrameReader();
  let [state, count, isBroken]: [ReadAgent['state'], number, boolean] = ['hello', 0, false];
  const take = (bytes: Uint8Array): void => {
    const read = reader.read(bytes);
    count += read.frames.length;
    ({ isBroken } = read);
    for (const { payload } of read.frames)
      [parseAgentExit, parseAgentFault, parsePortPayload].map((parse) => parse(payload));
  };
  for (const chunk of chunks) {
    if (state === 'frames') take(chunk);
    if (state !== 'hello') continue;
    const read = hello.read(chunk);
    if (read.kind === 'waiting') continue;
    state = read.kind === 'none' || parseAgentHello(read.json) === undefined ? 'none' : 'frames';
    if (state === 'frames' && read.kind === 'hello') take(read.rest);
  }
  return { state, count, isBroken };
}

/** An agent whose bytes are bent on their way: a hello, then frames of any kind. */
async function playFrames(one: Case): Promise<CaseReport> {
  const { dice, mutator } = one;
  const writer = new FrameWriter();
  const payloads = ['{"nonce":"n","pid":7}', 'out', '\0\u0001\0\0', '{"exitCode":7}', ''];
  const sent = Array.from({ length: 1 + dice.below(12) }, () =>
    writer.frame(dice.pick(Object.values(frameTags)), Buffer.from(dice.pick(payloads), 'latin1')),
  );
  const good = Buffer.concat([Buffer.from('echo\r\nSK1 {"version":1,"window":65536}\n'), ...sent]);
  const all = dice.chance(0.2) ? good : mutator.bytes('agent', good);
  one.show = () => all.toString('hex');
  const hello = new HelloReader();
  const { state, count, isBroken } = readAgent(hello, chunksOf(all, dice));
  const isWhole = all.equals(good);
  const faults = [
    ...(count <= sent.length ? [] : ['a frame that nobody sent']),
    ...(isWhole && (state !== 'frames' || count !== sent.length || isBroken)
      ? ['a frame that was sent is not there']
      : []),
    ...(hello.words.length <= all.length ? [] : ['words that nobody said']),
  ];
  return { outcome: state === 'frames' && isBroken ? 'broken' : state, faults };
}
