import { ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import type { StateStore } from '../../ports/state-store.ts';
import { formatRow, parseImageConfigRow, parseImageTag } from '../../wire/rows.ts';
import type { RowParser } from '../../wire/rows.ts';
import * as keys from './keys.ts';
import type { RowReader } from './row-access.ts';
import type { RowTable } from './row-table.ts';

type ImageRows = Pick<StateStore, 'getImageConfig' | 'upsertImageConfig' | 'getImageTag' | 'upsertImageTag'>;

/** What registries said of images. Whoever writes last counts: two who asked at once were reported the same, or a tag moved. */
export function createImageRows(table: RowTable, read: RowReader): ImageRows {
  const get = async <T>(rowKey: string, parser: RowParser<T>): Promise<Result<T | undefined>> => {
    const row = await table.get(keys.imagePartition, rowKey);
    if (!row.ok) return row;
    const found = row.value === undefined ? ok(undefined) : read(row.value, parser);
    return found.ok ? ok(found.value?.value) : found;
  };
  const put = async (rowKey: string, text: string): Promise<Result<void>> => {
    const written = await table.submit(keys.imagePartition, [{ kind: 'upsert', rowKey, text }]);
    return written.ok ? ok(undefined) : written;
  };
  return {
    getImageConfig: (digest) => get(keys.imageConfigKey(digest), parseImageConfigRow),
    upsertImageConfig: (config) => put(keys.imageConfigKey(config.digest), formatRow(config)),
    getImageTag: (image) => get(keys.imageTagKey(image), parseImageTag),
    upsertImageTag: (image, tag) => put(keys.imageTagKey(image), formatRow(tag)),
  };
}
