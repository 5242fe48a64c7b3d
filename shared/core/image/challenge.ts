/** How a registry wants to know who asks (RFC 9110, 11.6.1, and the token authentication of the distribution specification). */
export type Challenge =
  | { readonly kind: 'bearer'; readonly realm: string; readonly service?: string; readonly scope?: string }
  | { readonly kind: 'basic' };

const longest = 4_096;
const token = String.raw`[!#$%&'*+.^_\`|~0-9A-Za-z-]+`;
/** A scheme begins where no `=` follows the word; a parameter is a word, `=`, and a word or a quoted text. */
const piece = new RegExp(
  String.raw`\s*,?\s*(?:(?<name>${token})\s*=\s*(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<plain>${token}))|(?<scheme>${token})(?=\s|,|$))`,
  'y',
);

interface Offer {
  readonly scheme: string;
  readonly parameters: Map<string, string>;
}

/**
 * The first challenge of a `WWW-Authenticate` that can be met: Bearer before Basic, whatever else is offered beside
 * them. Undefined: none, or the text is not what HTTP says it is.
 */
export function parseChallenge(header: string): Challenge | undefined {
  const offers = readOffers(header.slice(0, longest));
  const bearer = offers.find(({ scheme, parameters }) => scheme === 'bearer' && parameters.has('realm'));
  const realm = bearer?.parameters.get('realm');
  if (bearer === undefined || realm === undefined)
    return offers.some(({ scheme }) => scheme === 'basic') ? { kind: 'basic' } : undefined;
  const service = bearer.parameters.get('service');
  const scope = bearer.parameters.get('scope');
  return {
    kind: 'bearer',
    realm,
    ...(service !== undefined && { service }),
    ...(scope !== undefined && { scope }),
  };
}

function readOffers(text: string): readonly Offer[] {
  const offers: Offer[] = [];
  piece.lastIndex = 0;
  while (piece.lastIndex < text.trimEnd().length) {
    const match = piece.exec(text);
    if (match === null) return offers;
    const { name, quoted, plain, scheme } = match.groups ?? {};
    if (scheme !== undefined) offers.push({ scheme: scheme.toLowerCase(), parameters: new Map() });
    else if (name !== undefined)
      offers.at(-1)?.parameters.set(name.toLowerCase(), quoted?.replaceAll(/\\(.)/g, '$1') ?? plain ?? '');
  }
  return offers;
}
