import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** What a port shows, and whom it believes; PEM. */
export interface ServingKeys {
  readonly cert: string;
  readonly key: string;
  /** CA of client certificates. */
  readonly ca: string;
}

export interface ServingFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly clientCaFile: string;
}

/** Reads the three. Rejects when one can't be read, is no PEM, or the key is not the certificate's: files are written one by one. */
export async function readServingKeys(files: ServingFiles): Promise<ServingKeys> {
  const [cert, key, ca] = await Promise.all(
    [files.certFile, files.keyFile, files.clientCaFile].map((file) => readFile(file, 'utf8')),
  );
  if (cert === undefined || key === undefined || ca === undefined) throw new Error('three files are three texts');
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)))
    throw new Error(`${files.keyFile} is not the key of ${files.certFile}`);
  // Said here, because OpenSSL would take a file without a certificate for an empty list.
  void new X509Certificate(ca);
  return { cert, key, ca };
}

export const areSame = (a: ServingKeys, b: ServingKeys): boolean =>
  a.cert === b.cert && a.key === b.key && a.ca === b.ca;
