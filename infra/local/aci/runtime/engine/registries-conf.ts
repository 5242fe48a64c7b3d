/** The registries.conf (containers-registries.conf(5)) by which Podman asks for images of `host` at `origin`. */
export function registriesConf(host: string, origin: string): string {
  const url = new URL(origin);
  return [
    '[[registry]]',
    `prefix = "${host}"`,
    `location = "${url.host}"`,
    `insecure = ${url.protocol === 'http:'}`,
    '',
  ].join('\n');
}
