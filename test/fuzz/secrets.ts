/** Words that must never be seen where anybody but the container polls. Each stands for one secret. */
export class Secrets {
  readonly #words = new Map<string, string>();

  /** A new word that is found again wherever it turns up, as it is or in base64. */
  plant(what: string, tag: string): string {
    // With a capital letter it is no name of an object, which may be shown.
    const word = `Planted${what}${tag}${this.#words.size}x`.replaceAll(/[^A-Za-z0-9]/g, '');
    this.#words.set(word, what);
    return word;
  }

  /** Takes a text as it is for a secret: a token. */
  keep(what: string, text: string): string {
    if (text.length >= 12) this.#words.set(text, what);
    return text;
  }

  /** One sentence for each secret that the text holds. */
  findIn(where: string, text: string): readonly string[] {
    const hay = text.toLowerCase();
    return [...this.#words].flatMap(([word, what]) => {
      const shown = hay.includes(word.toLowerCase()) || text.includes(inBase64(word));
      return shown ? [`${where} holds the secret of ${what}`] : [];
    });
  }

  mask(text: string): string {
    let masked = text;
    for (const [word, what] of this.#words) masked = masked.replaceAll(word, `<secret of ${what}>`);
    return masked;
  }
}

/** The part of it that is whole whatever comes before and after. */
const inBase64 = (word: string): string => Buffer.from(word).toString('base64').replace(/=*$/, '').slice(0, -1);
