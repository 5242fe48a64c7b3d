import { describe, expect, it } from 'vitest';
import { blobStorage } from '../../shared/wire/storage-settings.ts';

const text = (AzureWebJobsStorage: string) => blobStorage({ AzureWebJobsStorage });

describe('the Blob service beside the tables', () => {
  it.each([
    [
      'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=a2V5PT0=;EndpointSuffix=core.windows.net',
      { kind: 'key', endpoint: 'https://a.blob.core.windows.net', account: 'a', key: 'a2V5PT0=' },
    ],
    [
      'DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:1/a/;TableEndpoint=http://127.0.0.1:2/a;',
      { kind: 'key', endpoint: 'http://127.0.0.1:1/a', account: 'a', key: 'a2V5' },
    ],
    [
      'TableEndpoint=https://a.table.core.windows.net/;SharedAccessSignature=sv=1&sig=x%3D',
      { kind: 'sas', endpoint: 'https://a.blob.core.windows.net', sas: 'sv=1&sig=x%3D' },
    ],
    ['TableEndpoint=http://127.0.0.1:2/a;SharedAccessSignature=?sig=x', undefined],
    ['DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;TableEndpoint=http://127.0.0.1:2/a;', undefined],
    ['', undefined],
  ])('of %s', (connection, storage) => expect(text(connection)).toEqual(storage));

  it('of the storage emulator', () =>
    expect(text('UseDevelopmentStorage=true')).toMatchObject({
      kind: 'key',
      endpoint: 'http://127.0.0.1:10000/devstoreaccount1',
    }));

  it('by identity: as it is named, or by the name of the tables', () => {
    const tables = { AzureWebJobsStorage__tableServiceUri: 'https://a.table.core.windows.net/' };
    expect(blobStorage(tables)).toEqual({ kind: 'identity', endpoint: 'https://a.blob.core.windows.net' });
    const blobs = { AzureWebJobsStorage__blobServiceUri: 'https://b.blob.core.chinacloudapi.cn/' };
    expect(blobStorage({ ...tables, ...blobs })).toEqual({
      kind: 'identity',
      endpoint: 'https://b.blob.core.chinacloudapi.cn',
    });
    expect(blobStorage({ AzureWebJobsStorage__tableServiceUri: 'https://tables.example' })).toBeUndefined();
  });
});
