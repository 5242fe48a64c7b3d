import * as z from 'zod';
import { parseJson } from '../json-text.ts';

const name = z.string().min(1).max(253);
const revision = z.string().max(256);

const request = z.strictObject({
  schemaVersion: z.literal(1),
  podUid: name,
  nonce: z.string().max(256),
  kid: z.string().max(64),
  container: name,
  bootId: z.string().max(256),
  sentAt: z.string().max(64),
  /** Of the container's live volumes; a revision that is missing is that of the group's creation. */
  volumes: z.array(z.strictObject({ name, revision: revision.exactOptional() })).max(64),
});

/** `POST /api/pods/{uid}/files`: an agent asks for the live volumes of its container (infra/agent/README.md, Reports). */
export type FilesRequest = z.infer<typeof request>;

/** A container's volumes, twenty at most, with a revision each. */
export const mostRequestBytes = 16_384;

/** Undefined: it is not what an agent sends. */
export const parseFilesRequest = (text: string): FilesRequest | undefined => request.safeParse(parseJson(text)).data;

/** A volume that changed, with all its files. */
export interface ChangedVolume {
  readonly name: string;
  readonly revision: string;
  readonly files: readonly { readonly path: string; readonly mode: number; readonly content: Uint8Array }[];
}

/** What an agent takes. */
export const mostAnswerBytes = 8 * 1024 * 1024;

/** The answer as JSON. */
export const formatFilesAnswer = (volumes: readonly ChangedVolume[]): string =>
  JSON.stringify({
    volumes: volumes.map(({ files, ...volume }) => ({
      ...volume,
      files: files.map(({ path, mode, content }) => ({ path, mode, data: Buffer.from(content).toString('base64') })),
    })),
  });
