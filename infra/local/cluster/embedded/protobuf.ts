/**
 * The protobuf that kubectl's typed clients insist on sending (`create namespace`, `create token`, `auth can-i`, `drain`…):
 * the envelope of apimachinery's `runtime.Unknown`, and the few kinds of {@link protobufKinds}. Answers are JSON.
 */
import type { Json, JsonObject } from '../../../../shared/core/json.ts';
import { protobufKinds } from './protobuf-kinds.ts';
import type { Field, Message } from './protobuf-kinds.ts';

export const protobufType = 'application/vnd.kubernetes.protobuf';

/** `k8s`, and a zero byte. */
const magic = Buffer.from([0x6b, 0x38, 0x73, 0]);
const envelope: Message = {
  1: { name: 'typeMeta', type: { 1: { name: 'apiVersion', type: 'string' }, 2: { name: 'kind', type: 'string' } } },
  2: { name: 'raw', type: 'base64' },
};

class Malformed extends Error {}

/** The object; undefined when it is none, or of a kind that is not known in this form. */
export function decodeProtobuf(body: Buffer): JsonObject | undefined {
  if (!body.subarray(0, magic.length).equals(magic)) return undefined;
  try {
    const { typeMeta, raw } = decode(body.subarray(magic.length), envelope);
    const type = isMap(typeMeta) ? typeMeta : {};
    const schema = typeof type['kind'] === 'string' ? protobufKinds[type['kind']] : undefined;
    if (schema === undefined) return undefined;
    return { ...type, ...decode(Buffer.from(typeof raw === 'string' ? raw : '', 'base64'), schema) };
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

const isMap = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

interface Wire {
  readonly number: number;
  readonly value: number | Buffer;
}

function decode(bytes: Buffer, message: Message): JsonObject {
  const object: Record<string, Json> = {};
  for (const { number, value } of wires(bytes)) {
    const field = message[number];
    if (field === undefined) continue;
    const read = valueOf(field, value);
    // Go writes an empty text where nothing was said.
    if (read === undefined || (read === '' && field.kind === undefined)) continue;
    object[field.name] = joined(object[field.name], read, field);
  }
  return object;
}

function joined(before: Json | undefined, value: Json, { kind }: Field): Json {
  if (kind === 'list') return [...(Array.isArray(before) ? before : []), value];
  if (kind === 'map') return { ...(isMap(before) ? before : {}), ...(isMap(value) ? value : {}) };
  return value;
}

function valueOf({ type, kind }: Field, value: number | Buffer): Json | undefined {
  if (kind === 'map') {
    if (typeof value === 'number' || typeof type === 'object') throw new Malformed();
    const entry = decode(value, { 1: { name: 'key', type: 'string' }, 2: { name: 'value', type } });
    return { [typeof entry['key'] === 'string' ? entry['key'] : '']: entry['value'] ?? '' };
  }
  if (typeof value === 'number') {
    if (type === 'bool') return value !== 0;
    if (type === 'int') return value;
    throw new Malformed();
  }
  switch (type) {
    case 'string':
      return value.toString('utf8');
    case 'base64':
      return value.toString('base64');
    case 'intOrString':
      return intOrString(value);
    case 'int':
    case 'bool':
      throw new Malformed();
    default:
      return decode(value, type);
  }
}

function intOrString(bytes: Buffer): Json {
  const read = decode(bytes, {
    1: { name: 'type', type: 'int' },
    2: { name: 'int', type: 'int' },
    3: { name: 'text', type: 'string' },
  });
  return (read['type'] === 1 ? read['text'] : read['int']) ?? 0;
}

function* wires(bytes: Buffer): Generator<Wire> {
  let offset = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; scale < 2 ** 70; scale *= 128) {
      const byte = bytes[offset];
      if (byte === undefined) throw new Malformed();
      offset += 1;
      value += (byte % 128) * scale;
      if (byte < 128) return value;
    }
    throw new Malformed();
  };
  const take = (length: number): Buffer => {
    if (offset + length > bytes.length) throw new Malformed();
    offset += length;
    return bytes.subarray(offset - length, offset);
  };
  while (offset < bytes.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        yield { number, value: varint() };
        break;
      case 1:
        yield { number, value: take(8) };
        break;
      case 2:
        yield { number, value: take(varint()) };
        break;
      case 5:
        yield { number, value: take(4) };
        break;
      default:
        throw new Malformed();
    }
  }
}
