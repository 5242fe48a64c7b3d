/** Addresses for groups whose runtime reports none: public ones from the benchmark range, private ones per subnet. */
const publicBase = toNumber('198.18.0.4');
const publicCount = 130_000;
const defaultCidr = '10.240.0.0/16';
/** Azure keeps the first four addresses of a subnet. */
const reserved = 4;

export class AddressPool {
  readonly #subnets: ReadonlyMap<string, string>;
  readonly #private = new Map<string, Set<number>>();
  #nextPublic = 0;

  constructor(subnets: readonly { readonly id: string; readonly cidr: string }[]) {
    this.#subnets = new Map(subnets.map((s) => [s.id.toLowerCase(), s.cidr]));
  }

  /** A public address; no two in a row are the same. */
  takePublic(): string {
    this.#nextPublic = (this.#nextPublic + 1) % publicCount;
    return toText(publicBase + this.#nextPublic);
  }

  /** The lowest free address of the subnet, from base + 4 on; `undefined` when it is full. */
  takePrivate(subnetId: string): string | undefined {
    const [base = '', bits = '16'] = (this.#subnets.get(subnetId.toLowerCase()) ?? defaultCidr).split('/');
    const taken = this.#taken(subnetId);
    const size = 2 ** (32 - Number(bits)) - 1;
    for (let offset = reserved; offset < size; offset++)
      if (!taken.has(offset)) {
        taken.add(offset);
        return toText(toNumber(base) + offset);
      }
    return undefined;
  }

  /** Frees a private address; unknown ones are ignored. */
  free(subnetId: string, address: string): void {
    const base = (this.#subnets.get(subnetId.toLowerCase()) ?? defaultCidr).split('/')[0] ?? '';
    this.#taken(subnetId).delete(toNumber(address) - toNumber(base));
  }

  #taken(subnetId: string): Set<number> {
    const key = subnetId.toLowerCase();
    const taken = this.#private.get(key) ?? new Set<number>();
    this.#private.set(key, taken);
    return taken;
  }
}

function toNumber(address: string): number {
  return address.split('.').reduce((total, part) => total * 256 + Number(part), 0);
}

function toText(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
