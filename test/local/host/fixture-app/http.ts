import { app } from '@azure/functions';

let served = 0;

// Keeps the process busy, as clients with open connections do: it must be ended, it does not end by itself.
setInterval(() => undefined, 60_000);

app.http('echo', {
  methods: ['GET', 'POST'],
  route: 'echo/{kind}/{id?}',
  handler: async (request) => ({
    status: 201,
    headers: { 'x-kind': request.params['kind'] ?? '' },
    jsonBody: {
      params: request.params,
      query: Object.fromEntries(request.query),
      header: request.headers.get('x-test'),
      principal: request.headers.get('x-ms-client-principal-id'),
      url: new URL(request.url).pathname,
      text: await request.text(),
    },
  }),
});

app.http('bytes', {
  methods: ['POST'],
  handler: async (request) => ({ body: new Uint8Array(await request.arrayBuffer()).toReversed() }),
});

app.http('cookies', {
  handler: () => ({
    cookies: [
      { name: 'a', value: 'b c', httpOnly: true },
      { name: 'd', value: 'e', path: '/x', maxAge: 5, sameSite: 'Strict' },
    ],
  }),
});

app.http('fails', {
  handler: () => {
    throw new Error('a secret reason');
  },
});

app.http('nothing', { handler: () => Reflect.get({}, 'nothing') });
app.http('hooked', { handler: () => ({ status: 299 }) });
app.http('rescued', {
  handler: () => {
    throw new Error('never seen');
  },
});

app.http('who', {
  handler: (_request, context) => {
    served += 1;
    context.log(`who was asked, GREETING=${process.env['GREETING']}`);
    return {
      jsonBody: {
        pid: process.pid,
        served,
        greeting: process.env['GREETING'],
        group: process.env['FUNCTIONS_TARGET_GROUP'],
      },
    };
  },
});

app.http('wait', {
  handler: async (request) => {
    const ms = Number(request.query.get('ms'));
    await new Promise((resolve) => setTimeout(resolve, ms));
    return { body: 'done' };
  },
});

app.http('guarded', { authLevel: 'function', handler: () => ({ body: 'open' }) });
app.http('off', { handler: () => ({ body: 'on' }) });
app.http('late', {
  handler: (_request, context) => {
    setTimeout(() => context.log('too late'), 20);
    return {};
  },
});
app.http('quiet', {
  handler: (_request, context) => {
    context.log('not written');
    context.warn('written');
    return {};
  },
});
