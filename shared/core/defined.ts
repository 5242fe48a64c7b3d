type Optional<T> = { readonly [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> };
type Required<T> = { readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K] };

/**
 * The members that have a value. A member that is `undefined` is not the same as one that is not there: neither to the
 * compiler (`exactOptionalPropertyTypes`), nor where an object is spread over another or its names are listed.
 */
export function defined<const T extends object>(members: T): Optional<T> & Required<T>;
export function defined(members: object): object {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
