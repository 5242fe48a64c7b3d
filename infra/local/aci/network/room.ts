/** Which groups have an address of which subnet. */
export class SubnetRoom {
  readonly #sizes: ReadonlyMap<string, number>;
  readonly #taken = new Map<string, Set<string>>();

  /** Azure keeps five addresses of each range. */
  constructor(subnets: readonly { readonly id: string; readonly cidr: string }[]) {
    const size = (cidr: string): number => 2 ** (32 - Number(cidr.split('/')[1] ?? '16')) - 5;
    this.#sizes = new Map(subnets.map(({ id, cidr }) => [id.toLowerCase(), size(cidr)]));
  }

  /** Takes an address for the group, once; false: there is none. `limit` takes the place of the range's size. */
  take(subnet: string, group: string, limit: number | undefined): boolean {
    const key = subnet.toLowerCase();
    const taken = this.#taken.get(key) ?? new Set();
    this.#taken.set(key, taken);
    if (taken.has(group)) return true;
    if (taken.size >= (limit ?? this.#sizes.get(key) ?? Number.POSITIVE_INFINITY)) return false;
    taken.add(group);
    return true;
  }

  /** Gives the group's address back; without one nothing happens. */
  free(subnet: string, group: string): void {
    this.#taken.get(subnet.toLowerCase())?.delete(group);
  }
}
