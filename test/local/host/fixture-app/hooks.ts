import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { app } from '@azure/functions';

function mark(line: string): void {
  const dir = process.env['MARKS_DIR'];
  if (dir !== undefined) appendFileSync(path.join(dir, 'marks.txt'), `${line}\n`);
}

app.hook.appStart(() => mark(`appStart ${process.env['FUNCTIONS_TARGET_GROUP']}`));
app.hook.appTerminate(() => mark(`appTerminate ${process.env['FUNCTIONS_TARGET_GROUP']}`));

app.hook.preInvocation((context) => {
  const handler = context.functionHandler;
  context.hookData['began'] = true;
  if (context.invocationContext.functionName === 'hooked')
    context.functionHandler = async (...args) => ({ jsonBody: { wrapped: await handler(...args) } });
});

app.hook.postInvocation((context) => {
  if (context.invocationContext.functionName === 'rescued') {
    context.error = null;
    context.result = { status: 202, body: `began=${String(context.hookData['began'])}` };
  }
});
