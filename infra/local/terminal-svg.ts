const size = { font: 13, line: 18, column: 7.83, margin: 16, bar: 28 };
const colours = {
  background: '#0d1117',
  bar: '#161b22',
  text: '#c9d1d9',
  dim: '#8b949e',
  good: '#3fb950',
  bad: '#f85149',
};

/** What is out; the first that matches a word decides. */
const words: readonly (readonly [RegExp, string])[] = [
  [/^(?:✓|Succeeded|Ready|True)$/, colours.good],
  [/^(?:Failed|✗)$/, colours.bad],
  [/^(?:created|bound|PUT|accepted|running|finished|…|\$)$/, colours.dim],
];

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const colouredWord = (word: string): string => {
  const colour = words.find(([pattern]) => pattern.test(word))?.[1];
  return colour === undefined ? escaped(word) : `<tspan fill="${colour}">${escaped(word)}</tspan>`;
};

const coloured = (line: string): string =>
  line
    .split(/(\s+|,)/)
    .map(colouredWord)
    .join('');

/** Text as a terminal shows it, as one SVG picture: no colours of its own, none needed to read it. */
export function terminalSvg(text: string): string {
  const lines = text.trimEnd().split('\n');
  const width = Math.ceil(Math.max(...lines.map((line) => line.length)) * size.column) + 2 * size.margin;
  const height = size.bar + lines.length * size.line + 2 * size.margin;
  const rows = lines.map(
    (line, index) =>
      `<text x="${size.margin}" y="${size.bar + size.margin + index * size.line + size.font}">${coloured(line)}</text>`,
  );
  const lights = ['#ff5f56', '#ffbd2e', '#27c93f'].map(
    (fill, index) => `<circle cx="${size.margin + index * 18 + 4}" cy="${size.bar / 2}" r="5" fill="${fill}"/>`,
  );
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" xml:space="preserve" role="img" aria-label="A terminal">`,
    `<style>text { font: ${size.font}px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: ${colours.text}; white-space: pre }</style>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${colours.background}"/>`,
    `<path d="M0 ${size.bar}V8a8 8 0 0 1 8-8H${width - 8}a8 8 0 0 1 8 8V${size.bar}z" fill="${colours.bar}"/>`,
    ...lights,
    ...rows,
    '</svg>',
  ].join('\n')}\n`;
}
