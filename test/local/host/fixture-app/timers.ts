import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { app } from '@azure/functions';

app.timer('beat', {
  schedule: '%BEAT_SCHEDULE%',
  handler: (timer, context) => {
    appendFileSync(
      path.join(process.env['MARKS_DIR'] ?? '.', 'beats.txt'),
      `${process.pid} ${timer.isPastDue} ${context.functionName}\n`,
    );
  },
});

app.timer('manual', {
  schedule: '0 0 0 1 1 *',
  handler: () => {
    appendFileSync(path.join(process.env['MARKS_DIR'] ?? '.', 'manual.txt'), `${process.pid}\n`);
  },
});

app.timer('unresolved', { schedule: '%NO_SUCH_SETTING%', handler: () => undefined });
