import { connect, constants } from 'node:http2';
import { hostPort } from '../../../../shared/core/host-port.ts';
import { dialError } from './http-probe.ts';
import type { Endpoint } from './http-probe.ts';

/** https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
const path = '/grpc.health.v1.Health/Check';
const servings = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
/** https://github.com/grpc/grpc/blob/master/doc/statuscodes.md, in the words of Go, from 0 on. */
const codes =
  'OK Canceled Unknown InvalidArgument DeadlineExceeded NotFound AlreadyExists PermissionDenied ResourceExhausted FailedPrecondition Aborted OutOfRange Unimplemented Internal Unavailable DataLoss Unauthenticated'.split(
    ' ',
  );
/** An answer has a few bytes. */
const mostBytes = 4096;

/** A length as protobuf writes it. */
function varint(value: number): readonly number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}

/** `HealthCheckRequest{service}` as one gRPC message, not compressed. */
export function healthRequest(service: string): Uint8Array {
  const name = Buffer.from(service);
  const message =
    name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** The status in a `HealthCheckResponse`; a field that is not there is UNKNOWN, as in protobuf. */
export function healthStatus(body: Uint8Array): string | undefined {
  if (body.length < 5 || body[0] !== 0) return undefined;
  const message = body.subarray(5);
  if (message.length === 0) return servings[0];
  return message[0] === 0x08 ? servings[message[1] ?? 0] : undefined;
}

interface Answer {
  readonly body: Uint8Array;
  readonly grpcStatus: string;
  readonly grpcMessage: string;
}

function ask({ address, port, timeoutMs }: Endpoint, service: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://${hostPort(address, port)}`);
    const timer = setTimeout(
      () => end(() => reject(Object.assign(new Error('deadline'), { code: 'ABORT_ERR' }))),
      timeoutMs,
    );
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      session.destroy();
      settle();
    };
    session.on('error', (error) => end(() => reject(error)));
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: path,
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
      te: 'trailers',
    });
    const chunks: Buffer[] = [];
    let size = 0;
    let status: { readonly grpcStatus: string; readonly grpcMessage: string } = { grpcStatus: '', grpcMessage: '' };
    const note = (headers: Readonly<Record<string, string | string[] | number | undefined>>): void => {
      const code = headers['grpc-status'];
      if (code !== undefined) status = { grpcStatus: String(code), grpcMessage: String(headers['grpc-message'] ?? '') };
    };
    stream.on('response', note);
    stream.on('trailers', note);
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size > mostBytes) end(() => resolve({ body: Buffer.alloc(0), grpcStatus: '8', grpcMessage: 'too long' }));
    });
    stream.on('error', (error) => end(() => reject(error)));
    stream.on('end', () => end(() => resolve({ body: Buffer.concat(chunks), ...status })));
    stream.end(healthRequest(service));
  });
}

/** A stream ends before its session does, and names what ended both. */
const causeOf = (error: unknown): Error => {
  if (!(error instanceof Error)) return new Error(String(error));
  return error.cause instanceof Error ? error.cause : error;
};

/** One health check. Undefined: SERVING; otherwise why not, in a kubelet's words (pkg/probe/grpc). Never rejects. */
export async function probeGrpc(endpoint: Endpoint, service: string): Promise<string | undefined> {
  const seconds = `${endpoint.timeoutMs / 1000}s`;
  try {
    const { body, grpcStatus, grpcMessage } = await ask(endpoint, service);
    const code = grpcStatus === '' ? 'Unavailable' : (codes[Number(grpcStatus)] ?? `Code(${grpcStatus})`);
    const why = `rpc error: code = ${code} desc = ${grpcStatus === '' ? 'no status of gRPC was answered' : grpcMessage}`;
    if (code === 'Unimplemented')
      return `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${grpcMessage}`;
    if (code !== 'OK') return `error: health rpc probe failed: ${why}`;
    const status = healthStatus(body);
    if (status === 'SERVING') return undefined;
    return `service unhealthy (responded with "${status ?? 'no health status'}")`;
  } catch (error) {
    const why = dialError(endpoint, causeOf(error));
    return `timeout: failed to connect service "${hostPort(endpoint.address, endpoint.port)}" within ${seconds}: ${why}`;
  }
}
