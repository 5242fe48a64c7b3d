/** Log Analytics' columns of the tables that we query, of those that we use (Azure Monitor's reference of tables). */
const common = [
  'TimeGenerated',
  'AppRoleName',
  'AppRoleInstance',
  'OperationId',
  'ParentId',
  'Properties',
  'ItemCount',
];
const tables: Readonly<Record<string, readonly string[]>> = {
  AppMetrics: [...common, 'Name', 'Sum', 'Min', 'Max'],
  AppTraces: [...common, 'Message', 'SeverityLevel'],
  AppRequests: [...common, 'Name', 'Success', 'ResultCode', 'DurationMs'],
  AppDependencies: [...common, 'Name', 'Success', 'ResultCode', 'DurationMs', 'Target'],
  AppExceptions: [...common, 'ExceptionType', 'OuterMessage'],
};

const operators =
  'where extend project summarize order take distinct union let by asc desc and or in has startswith'.split(' ');
const functions = 'sum max min bin tostring parse_json strcat iff isempty coalesce ago'.split(' ');

const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** What is wrong with a query, as far as a simple reading can say: brackets, tables, columns, functions. */
export function kustoFaults(query: string): readonly string[] {
  const strings = query.match(/'(?:[^'\\\n]|\\.)*'/g) ?? [];
  const bare = query.replaceAll(/'(?:[^'\\\n]|\\.)*'/g, "''").replaceAll(/\{\w+\}/g, '1');
  const loose = /['"]/.test(bare.replaceAll("''", '')) ? ['a quote that does not end'] : [];
  const used = [...bare.matchAll(/\bApp[A-Z]\w+/g)].map(([name]) => name).filter((name) => name in tables);
  const columns = new Set([...used, ...used.flatMap((name) => tables[name] ?? [])]);
  const defined = [...bare.matchAll(/(?<![=!<>])\b([A-Za-z_]\w*)\s*=(?![=~])/g)].map((match) => match[1] ?? '');
  const known = new Set([...columns, ...defined, ...operators, ...strings]);
  const names = [...bare.matchAll(/(?<![.\w])([A-Za-z_]\w*)(\s*\()?/g)].map(([, name = '', call]) => ({ name, call }));
  const faults = names.flatMap(({ name, call }) => {
    if (/^(true|false|null)$/.test(name)) return [];
    if (call !== undefined && !operators.includes(name)) return functions.includes(name) ? [] : [`no function ${name}`];
    return known.has(name) ? [] : [`no column ${name}`];
  });
  return [...loose, ...unbalanced(bare), ...(used.length === 0 ? ['no known table'] : []), ...new Set(faults)];
}

function unbalanced(text: string): readonly string[] {
  const open: string[] = [];
  for (const [char] of text.matchAll(/[()[\]{}]/g)) {
    const expected = closing[char];
    if (expected !== undefined) open.push(expected);
    else if (open.pop() !== char) return [`a ${char} that nothing opened`];
  }
  return open.length === 0 ? [] : [`${open.length} brackets that do not close`];
}
