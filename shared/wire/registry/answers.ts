import * as z from 'zod';
import { parseJson } from '../json-text.ts';

/** What may be in a header: a token of anybody else's making goes into one. */
const credential = z.string().regex(/^[\u0021-\u007e]{1,12000}$/);

const tokenAnswer = z.union([
  z.object({ token: credential }).transform(({ token }) => token),
  z.object({ access_token: credential }).transform(({ access_token }) => access_token),
]);
const exchangeAnswer = z.object({ refresh_token: credential });
const errorAnswer = z.object({
  errors: z
    .array(z.object({ code: z.string(), message: z.string().optional().catch(undefined) }))
    .min(1)
    .max(100),
});

/** The token that an authorization service gives (distribution specification: `token`, OAuth 2: `access_token`). */
export function parseTokenAnswer(text: string): string | undefined {
  const parsed = tokenAnswer.safeParse(parseJson(text));
  return parsed.success ? parsed.data : undefined;
}

/** What Azure Container Registry gives for an Entra token. */
export function parseExchangeAnswer(text: string): string | undefined {
  const parsed = exchangeAnswer.safeParse(parseJson(text));
  return parsed.success ? parsed.data.refresh_token : undefined;
}

/** A registry's own words on what went wrong. */
export interface RegistryError {
  /** `MANIFEST_UNKNOWN`, `TOOMANYREQUESTS` */
  readonly code: string;
  /** One line, cut; may be empty. */
  readonly message: string;
}

const longestMessage = 200;

/** The first error of an answer that has errors as the distribution specification wants them. */
export function parseRegistryError(text: string): RegistryError | undefined {
  const parsed = errorAnswer.safeParse(parseJson(text));
  const first = parsed.success ? parsed.data.errors[0] : undefined;
  if (first === undefined || !/^[A-Za-z_]{1,60}$/.test(first.code)) return undefined;
  const message = (first.message ?? '').replaceAll(/[^\u0020-\u007e]+/g, ' ').trim();
  return { code: first.code, message: message.slice(0, longestMessage) };
}
