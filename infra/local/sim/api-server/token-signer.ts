import { createHmac, timingSafeEqual } from 'node:crypto';
import { isJsonObject } from '../../../../shared/core/json.ts';
import type { Json, JsonObject } from '../../../../shared/core/json.ts';

const header = Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'JWT' })).toString('base64url');

/** JSON Web Tokens that only this cluster can make and read: it publishes no key. */
export class TokenSigner {
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
  }

  sign(claims: JsonObject): string {
    const text = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
    return `${text}.${this.#signature(text).toString('base64url')}`;
  }

  /** The claims, whatever they say of time; undefined when the token is not one of ours. */
  read(token: string): JsonObject | undefined {
    const [head = '', payload = '', signature = ''] = token.split('.');
    const expected = this.#signature(`${head}.${payload}`);
    const given = Buffer.from(signature, 'base64url');
    if (head !== header || given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    const claims: Json = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return isJsonObject(claims) ? claims : undefined;
  }

  #signature(text: string): Buffer {
    return createHmac('sha256', this.#secret).update(text).digest();
  }
}
