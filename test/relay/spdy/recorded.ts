/** Frames as Kubernetes' own client writes them (spdystream 0.5.1), in the order of one connection: its headers are one compressed stream. */
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

export const recorded = {
  synError: hex(
    '80030001 00000029 00000001 00000000 0000 78f9e3c6a7c26260606004a7b392a2d4c45c6851c29a0a0a6800000000ffff',
  ),
  synStdin: hex('80030001 00000017 00000003 00000000 0000 c22e555c92929907000000ffff'),
  synStdout: hex('80030001 00000019 00000005 00000000 0000 c22ac5565c92925f5a02000000ffff'),
  /** `hello\n` on stream 3. */
  data: hex('00000003 00000006 68656c6c6f0a'),
  /** Nothing follows on stream 3. */
  fin: hex('00000003 01000000'),
  ping: hex('80030006 00000004 00000001'),
  goAway: hex('80030007 00000008 00000000 00000000'),
  /** Of a port-forward: port 8080, request 0. */
  synPortError: hex(
    '80030001 0000002c 00000007 00000000 0000 022563dc26b214e41781f39485818501030303671124616482320ca301000000ffff',
  ),
  settings: hex('80030004 0000000c 00000001 00000007 000003e8'),
  windowUpdate: hex('80030009 00000008 00000003 00000010'),
  rstStream: hex('80030003 00000008 00000003 00000005'),
};
