/** Whether a client takes gzip, by its `Accept-Encoding` (RFC 9110, 12.5.3). */
export function acceptsGzip(header: string | null): boolean {
  const offers = (header ?? '')
    .toLowerCase()
    .split(',')
    .map((offer) => {
      const [coding = '', ...parameters] = offer.split(';').map((part) => part.trim());
      const weight = parameters.find((part) => part.startsWith('q='))?.slice(2) ?? '1';
      return { coding, isTaken: Number(weight) > 0 };
    });
  const named = offers.find(({ coding }) => coding === 'gzip' || coding === 'x-gzip');
  return (named ?? offers.find(({ coding }) => coding === '*'))?.isTaken ?? false;
}
