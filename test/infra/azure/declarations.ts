/** What a Bicep file declares, read line by line: enough for rules about words, and no compiler. */

export interface Declaration {
  readonly kind: 'param' | 'output' | 'type';
  readonly name: string;
  /** Up to a default or a value; empty where it begins on the next line. */
  readonly type: string;
  readonly hasDefault: boolean;
  /** The default of a parameter, or the value of an output, as it is written. */
  readonly value: string;
  /** Lines of the decorators above it. */
  readonly decorators: readonly string[];
  /** '' without one. */
  readonly description: string;
}

const declared = /^(param|output|type) (\w+)\s*([^={]*?)\s*(=.*|\{)?$/;

/** Those at the beginning of a line; a type's members are not among them. */
export function declarationsOf(text: string): readonly Declaration[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const [, kind, name = '', type = '', value] = declared.exec(line) ?? [];
    if (kind !== 'param' && kind !== 'output' && kind !== 'type') return [];
    const above = lines.slice(0, index);
    const decorators = above.slice(above.findLastIndex((one) => one === '' || one === '}') + 1);
    const [, description = ''] = /^@description\('(.*)'\)$/m.exec(decorators.join('\n')) ?? [];
    return [
      {
        kind,
        name,
        type,
        hasDefault: value !== undefined,
        value: (value ?? '').replace(/^=\s*/, ''),
        decorators,
        description: description.replaceAll("\\'", "'"),
      },
    ];
  });
}
