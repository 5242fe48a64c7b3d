/** ARM as an operator sees it, with the rights of the app. */
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import type { IncomingMessage } from 'node:http';
import * as z from 'zod';
import { settings } from './tables.ts';

const setting = (name: string): string => {
  const value = settings[name];
  if (value === undefined) throw new Error(`the app has no setting ${name}`);
  return value;
};

async function tokenOfApp(): Promise<string> {
  const url = `${setting('IDENTITY_ENDPOINT')}?api-version=2019-08-01&resource=${setting('ARM_ENDPOINT')}`;
  const answer = await fetch(url, { headers: { 'X-IDENTITY-HEADER': setting('IDENTITY_HEADER') } });
  return z.object({ access_token: z.string() }).parse(await answer.json()).access_token;
}

/** A container group as ARM shows it. */
export async function readGroup(name: string): Promise<unknown> {
  const [subscription, resourceGroup] = [setting('AZURE_SUBSCRIPTION_ID'), setting('AZURE_RESOURCE_GROUP')];
  const path = `/subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/Microsoft.ContainerInstance/containerGroups/${name}?api-version=2023-05-01`;
  const token = await tokenOfApp();
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request(new URL(path, setting('ARM_ENDPOINT')), {
      ca: readFileSync(setting('ARM_CERTIFICATE_AUTHORITY_FILE')),
      headers: { authorization: `Bearer ${token}` },
    })
      .on('response', resolve)
      .on('error', reject)
      .end();
  });
  const body = await text(answer);
  if (answer.statusCode !== 200) throw new Error(`${name}: ${answer.statusCode} ${body}`);
  return JSON.parse(body) as unknown;
}
