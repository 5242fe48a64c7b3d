/** The member of a map that came from outside; names like `constructor` are members only when they were sent. */
export const own = <T>(map: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(map, key) ? map[key] : undefined;
