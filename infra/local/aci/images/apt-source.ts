/** Where packages of the running distribution come from. */
export interface AptSource {
  readonly uri: string;
  readonly suite: string;
  readonly components: readonly string[];
  /** Key file that signs the suite. */
  readonly keyring?: string;
}

/**
 * The machine's main package source: the first binary source that has the component `main` for the release itself, not
 * for its updates (`bookworm-updates`), security fixes or a vendor's flat repository. Reads both forms of apt's source
 * files: `deb [options] uri suite components…` lines and deb822 stanzas.
 */
export function mainAptSource(files: readonly string[], codename: string): AptSource | undefined {
  return files
    .flatMap((file) => [...oneLineSources(file), ...stanzaSources(file)])
    .find((source) => {
      return source.suite === codename && source.components.includes('main');
    });
}

function oneLineSources(file: string): AptSource[] {
  return file.split('\n').flatMap((line) => {
    const match = /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.+)$/u.exec(line.trim());
    if (match === null) return [];
    const [, options = '', uri = '', suite = '', components = ''] = match;
    const keyring = /signed-by=(\S+)/u.exec(options)?.[1];
    return [source({ uri, suite, components, keyring })];
  });
}

function stanzaSources(file: string): AptSource[] {
  return file.split(/\n\s*\n/u).flatMap((stanza) => {
    const fields = new Map(
      stanza
        .split('\n')
        .map((line) => /^([\w-]+):\s*(.*)$/u.exec(line))
        .flatMap((match) => (match?.[1] === undefined ? [] : [[match[1].toLowerCase(), match[2] ?? ''] as const])),
    );
    const [types = '', components = ''] = [fields.get('types'), fields.get('components')];
    if (!words(types).includes('deb') || fields.get('enabled') === 'no') return [];
    const keyring = fields.get('signed-by');
    return words(fields.get('uris')).flatMap((uri) =>
      words(fields.get('suites')).map((suite) => source({ uri, suite, components, keyring })),
    );
  });
}

interface SourceFields {
  readonly uri: string;
  readonly suite: string;
  readonly components: string;
  readonly keyring: string | undefined;
}

function source({ uri, suite, components, keyring }: SourceFields): AptSource {
  const plain = { uri, suite, components: words(components) };
  return keyring?.startsWith('/') === true ? { ...plain, keyring } : plain;
}

function words(text = ''): string[] {
  return text.split(/\s+/u).filter((word) => word !== '');
}
