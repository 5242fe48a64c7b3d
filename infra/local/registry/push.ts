import type { Stored, StoredImage } from '../../../shared/core/image/stored-image.ts';

export interface Destination {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  readonly repository: string;
  readonly tag: string;
  /** The header of that name. */
  readonly authorization?: string;
}

/** Puts an image with all that belongs to it into a registry, by the distribution API. Idempotent; throws what the registry answered. */
export async function pushImage(to: Destination, image: StoredImage): Promise<void> {
  const base = `${to.origin}/v2/${to.repository}`;
  for (const blob of image.blobs) {
    const begun = await send(to, 'POST', `${base}/blobs/uploads/`);
    const url = new URL(begun.headers.get('location') ?? '', to.origin);
    url.searchParams.set('digest', blob.digest);
    await send(to, 'PUT', url.href, { ...blob, mediaType: 'application/octet-stream' });
  }
  for (const manifest of image.manifests) await send(to, 'PUT', `${base}/manifests/${manifest.digest}`, manifest);
  await send(to, 'PUT', `${base}/manifests/${to.tag}`, image);
}

async function send({ authorization }: Destination, method: string, url: string, body?: Stored): Promise<Response> {
  const answer = await fetch(url, {
    method,
    headers: {
      ...(authorization !== undefined && { authorization }),
      ...(body !== undefined && { 'content-type': body.mediaType }),
    },
    ...(body !== undefined && { body: new Uint8Array(body.bytes) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${text}`);
  return answer;
}
