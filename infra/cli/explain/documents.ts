import { isAlias, isMap, isNode, isSeq, parseAllDocuments, visit } from 'yaml';
import type { Alias, Document, Tags } from 'yaml';
import { isJsonObject } from '../../../shared/core/json.ts';
import type { Json, JsonObject } from '../../../shared/core/json.ts';
import { jsonPieces } from './json-stream.ts';
import { positions } from './source.ts';
import type { InputFault, Position } from './source.ts';

/** One object of an input. */
export interface InputDocument {
  readonly object: JsonObject;
  readonly at: Position;
  /** Where a member is; of one that is not there, what would hold it. */
  position(path: readonly (string | number)[]): Position;
}

export interface ReadDocuments {
  readonly documents: readonly InputDocument[];
  readonly faults: readonly InputFault[];
}

/** Aliases that are spelled out; more are an attack, not a manifest. */
const maxAliasCount = 1000;

/** YAML as kubectl reads it, of version 1.1 without what JSON has not: times, and numbers to the base of 60. */
const kubernetesTags = (tags: Tags): Tags =>
  tags.filter(
    (tag) => typeof tag === 'string' || (tag.format !== 'TIME' && !/:(timestamp|binary|set|omap|pairs)$/.test(tag.tag)),
  );

/** All objects of a text: YAML documents, or JSON values one after the other. Empty documents are none. */
export function readDocuments(file: string, text: string): ReadDocuments {
  const at = positions(file, text);
  const documents: InputDocument[] = [];
  const faults: InputFault[] = [];
  for (const piece of jsonPieces(text)) {
    const place = (offset: number): Position => at(piece.offset + offset);
    for (const document of parsed(piece.text)) {
      const read = readDocument(document, place, piece.text);
      if (read === undefined) continue;
      if ('problem' in read) faults.push(read);
      else documents.push(read);
    }
  }
  return { documents, faults };
}

type Parsed = Document.Parsed;

const tooDeep = 'expected YAML or JSON that is not nested so deep';

function parsed(text: string): readonly (Parsed | string)[] {
  try {
    const documents = parseAllDocuments(text, {
      version: '1.1',
      customTags: kubernetesTags,
      prettyErrors: false,
      logLevel: 'silent',
      stringKeys: true,
    });
    return [...documents];
  } catch (error) {
    if (error instanceof RangeError) return [tooDeep];
    throw error;
  }
}

function readDocument(
  document: Parsed | string,
  place: (offset: number) => Position,
  text: string,
): InputDocument | InputFault | undefined {
  if (typeof document === 'string') return { at: place(0), problem: document };
  const [error] = document.errors;
  if (error !== undefined) return { at: place(error.pos[0]), problem: sentence(error.message, text, error.pos[0]) };
  const start = place(document.contents?.range[0] ?? document.range[0]);
  const alias = strayAlias(document);
  if (alias !== undefined)
    return { at: place(alias.range?.[0] ?? 0), problem: `expected an anchor &${alias.source} before the alias` };
  const value = plainValue(document);
  if (typeof value === 'string') return { at: start, problem: value };
  const { json } = value;
  if (json === null || json === undefined) return undefined;
  if (!isJsonObject(json))
    return { at: start, problem: `expected an object with apiVersion and kind, found ${shown(json)}` };
  return { object: json, at: start, position: (path) => place(offsetOf(document, path)) };
}

const longestShown = 40;
const shown = (json: Json): string => {
  const text = JSON.stringify(json);
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
};

/** What the parser says, and a guess at the commonest cause. */
function sentence(message: string, text: string, offset: number): string {
  const from = text.lastIndexOf('\n', Math.max(0, offset - 1)) + 1;
  const end = text.indexOf('\n', offset);
  const line = text.slice(from, end < 0 ? undefined : end);
  const hint = line.includes('{{') ? '; a template of Helm is rendered first: helm template … | … explain -f -' : '';
  // Brackets by the thousand: the parser calls itself for each.
  if (message.includes('call stack')) return tooDeep;
  const said = message
    .replace('With stringKeys, all keys must be strings', 'A key has to be a text')
    .replace(/\.$/, '');
  return `expected YAML or JSON: ${said}${hint}`;
}

/** The first alias of what the document has not named before. */
function strayAlias(document: Parsed): Alias | undefined {
  const anchors = new Set<string>();
  let stray: Alias | undefined;
  visit(document, {
    Node: (_, node) => {
      if (isAlias(node)) {
        if (anchors.has(node.source)) return undefined;
        stray = node;
        return visit.BREAK;
      }
      if (node.anchor !== undefined) anchors.add(node.anchor);
      return undefined;
    },
  });
  return stray;
}

/** As JSON has it; a sentence where it can not be. */
function plainValue(document: Parsed): { readonly json: Json | undefined } | string {
  try {
    const value: unknown = document.toJS({ maxAliasCount });
    const text: string | undefined = JSON.stringify(value, (_, member: unknown) => member ?? undefined);
    const json: Json | undefined = text === undefined ? undefined : JSON.parse(text);
    return { json };
  } catch (error) {
    if (error instanceof RangeError) return tooDeep;
    if (error instanceof ReferenceError) return `expected YAML with fewer aliases: ${error.message}`;
    if (error instanceof TypeError) return 'expected YAML without an alias inside of what it names';
    throw error;
  }
}

/** Of the deepest node on the way to the path. */
function offsetOf(document: Parsed, path: readonly (string | number)[]): number {
  let offset = document.contents?.range[0] ?? document.range[0];
  for (let depth = 1; depth <= path.length; depth++) {
    const node: unknown = document.getIn(path.slice(0, depth), true);
    if (!isNode(node)) return offset;
    offset = node.range?.[0] ?? offset;
    if (!isMap(node) && !isSeq(node)) return offset;
  }
  return offset;
}
