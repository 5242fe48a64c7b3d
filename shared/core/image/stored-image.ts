import { createHash } from 'node:crypto';

/** A blob or a manifest as a registry keeps it (OCI image and distribution specifications). */
export interface Stored {
  readonly digest: string;
  readonly bytes: Buffer;
  readonly mediaType: string;
}

/** An image with all that has to be in a registry before it: blobs, and for an index its manifests. */
export interface StoredImage extends Stored {
  readonly blobs: readonly Stored[];
  readonly manifests: readonly Stored[];
}

export const ociTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

export const digestOf = (bytes: Uint8Array | string): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Bytes and text as they are, anything else as JSON. */
export function stored(mediaType: string, content: Uint8Array | string | Readonly<Record<string, unknown>>): Stored {
  const bytes = Buffer.from(
    typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content),
  );
  return { digest: digestOf(bytes), bytes, mediaType };
}

export const descriptor = ({ digest, bytes, mediaType }: Stored) => ({ mediaType, digest, size: bytes.length });
