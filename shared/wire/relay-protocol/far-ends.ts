import type { FarEnd } from '../../core/streams/stream-session.ts';

/** Far ends of which a relay says that it speaks to them; the others are known to each that ever was. */
export type OfferedFarEnd = Exclude<FarEnd, 'shell' | 'output'>;

const offered: readonly OfferedFarEnd[] = ['agent', 'ports'];

/** In a header of the question for a session: an app that does not know it gives what it always gave. */
export const farEndsHeader = 'x-serverless-kubelet-far-ends';

export const formatFarEnds = (farEnds: readonly OfferedFarEnd[]): string => farEnds.join(', ');

/** Those that this app knows; none of an older relay. */
export function parseFarEnds(header: string | undefined): readonly OfferedFarEnd[] {
  const named = new Set((header ?? '').split(',').map((name) => name.trim()));
  return offered.filter((farEnd) => named.has(farEnd));
}
