import { app } from '@azure/functions';

app.http('a', { handler: () => ({}) });
app.http('a', { handler: () => ({}) });
