import { createHmac } from 'node:crypto';

/** The published key of Azurite's only account: no secret. */
export const azuriteAccount = {
  name: 'devstoreaccount1',
  key: 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==',
} as const;

export interface SasRequest {
  /** `o` objects, `c` containers, `s` the service. */
  readonly resourceTypes: string;
  /** Letters in the order `rwdlac`. */
  readonly permissions: string;
  readonly expiresAt: Date;
}

const version = '2021-12-02';
const protocols = 'https,http';

/** The query of an account SAS for Blob storage, without `?` (REST: Create an account SAS). */
export function blobSas({ resourceTypes, permissions, expiresAt }: SasRequest, account = azuriteAccount): string {
  const expiry = `${expiresAt.toISOString().slice(0, 19)}Z`;
  // Empty lines: start, addresses, and after the version the encryption scope.
  const lines = [account.name, permissions, 'b', resourceTypes, '', expiry, '', protocols, version, '', ''];
  const signature = createHmac('sha256', Buffer.from(account.key, 'base64')).update(lines.join('\n')).digest('base64');
  return new URLSearchParams({
    sv: version,
    ss: 'b',
    srt: resourceTypes,
    sp: permissions,
    se: expiry,
    spr: protocols,
    sig: signature,
  }).toString();
}

/** Makes a container of Azurite's; one that is there is left as it is. `endpoint`: `http://127.0.0.1:PORT/devstoreaccount1`. */
export async function createContainer(endpoint: string, name: string): Promise<void> {
  const expiresAt = new Date(Date.now() + 600_000);
  const sas = blobSas({ resourceTypes: 'c', permissions: 'c', expiresAt });
  const answer = await fetch(`${endpoint}/${name}?restype=container&${sas}`, {
    method: 'PUT',
    headers: { 'x-ms-version': version },
  });
  await answer.body?.cancel();
  if (answer.status !== 201 && answer.status !== 409)
    throw new Error(`the container ${name} could not be made: HTTP ${answer.status}`);
}
