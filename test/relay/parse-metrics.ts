/** What Prometheus reads of a scrape; throws on a line that it would not take. */
export function parseMetrics(text: string) {
  const values = new Map<string, number>();
  const types = new Map<string, string>();
  const help = new Map<string, string>();
  const labels = new Map<string, Set<string>>();
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const comment = /^# (HELP|TYPE) (\w+) (.+)$/.exec(line);
    if (comment !== null) {
      const [, kind, name = '', rest = ''] = comment;
      (kind === 'TYPE' ? types : help).set(name, rest);
      continue;
    }
    const sample = /^(\w+)(\{(?:\w+="[^"]*",?)*\})? (-?[\d.e+-]+|NaN|\+Inf)$/.exec(line);
    if (sample === null) throw new Error(`no metric: ${line}`);
    const [, name = '', block = '', value = ''] = sample;
    values.set(name + block, Number(value));
    const family = types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '');
    if (!types.has(family)) throw new Error(`without a type: ${line}`);
    const known = labels.get(family) ?? new Set<string>();
    for (const [, label = ''] of block.matchAll(/(\w+)="/g)) known.add(label);
    labels.set(family, known);
  }
  return {
    types,
    help,
    labels,
    names: new Set([...values.keys()].map((key) => key.replace(/\{.*/, ''))),
    value: (series: string, prefix = 'serverless_kubelet_relay_') => values.get(prefix + series),
  };
}
