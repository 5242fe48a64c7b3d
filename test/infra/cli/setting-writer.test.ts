import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { writeSetting } from '../../../infra/cli/setting-writer.ts';

const source = { kind: 'azure', app: 'kubelet', resourceGroup: 'aci-pods', subscription: undefined } as const;

it('gives az a value by a file of names and values that is gone afterwards, and no slots', async () => {
  const given: string[] = [];
  let file = '';
  const json = (args: readonly string[]): Promise<undefined> => {
    file = args.at(-1)?.slice(1) ?? '';
    given.push(args.slice(0, -1).join(' '), readFileSync(file, 'utf8'));
    return Promise.resolve(undefined);
  };
  await writeSetting(source, { name: 'TOKEN', value: 'a="b"' }, { json });
  const command = 'functionapp config appsettings set --name kubelet --resource-group aci-pods --settings';
  expect(given).toEqual([command, JSON.stringify({ TOKEN: 'a="b"' })]);
  expect(existsSync(file)).toBe(false);
});
