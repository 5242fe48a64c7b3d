/** Whether sessions of ACI's (port 19390) can be reached, by whom. */
import * as z from 'zod';
import { parseJson } from '../json-text.ts';

const dialled = z.discriminatedUnion('reached', [
  z.object({ reached: z.literal(true) }),
  z.object({ reached: z.literal(false), message: z.string() }),
]);

/** What came of connecting to a session; `message` is a sentence for an operator. */
export type DialAnswer = z.infer<typeof dialled>;

const both = z.object({ app: dialled, relay: dialled });

/** The relay's answer to `GET /sessionDial/{namespace}/{pod}/{container}`. */
export type BothDials = z.infer<typeof both>;

/** The app's answer to `POST …/session-dial`. Undefined: it is none. */
export const parseDialAnswer = (body: string): DialAnswer | undefined => dialled.safeParse(parseJson(body)).data;

/** Undefined: it is none. */
export const parseBothDials = (body: string): BothDials | undefined => both.safeParse(parseJson(body)).data;
