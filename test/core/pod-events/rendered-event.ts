import { fieldPath } from '../../../shared/core/pod-events/pod-event.ts';
import type { PodEvent } from '../../../shared/core/pod-events/pod-event.ts';

/** `Warning BackOff spec.containers{main} ×3: message`: an event as a line. */
export function renderedEvent({ type, reason, message, container, count }: PodEvent): string {
  const place = container === undefined ? '' : ` ${fieldPath(container)}`;
  return `${type} ${reason}${place}${count === undefined ? '' : ` ×${String(count)}`}: ${message}`;
}
