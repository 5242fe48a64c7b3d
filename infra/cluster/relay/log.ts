import { destination, pino } from 'pino';
import type { Log, LogFields } from '../../../shared/ports/log.ts';

/** JSON lines on stderr: stdout is for the line that says that the relay serves. Never a token, never a body. */
export function createLog(): Log {
  const logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination({ fd: 2, sync: true }));
  return {
    info: (message: string, fields: LogFields = {}) => logger.info(fields, message),
    warn: (message: string, fields: LogFields = {}) => logger.warn(fields, message),
  };
}
