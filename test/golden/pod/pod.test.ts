import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { imageReferences } from '../../../shared/core/pod/image-needs.ts';
import { listReferences } from '../../../shared/core/pod/references.ts';
import { translatePod } from '../../../shared/core/pod/translate.ts';
import { parsePod } from '../../../shared/wire/pod.ts';
import { configMap, facts, resolved, secret } from '../../core/pod/fixtures.ts';
import { golden } from '../../fixtures/golden.ts';

const folder = new URL('./', import.meta.url);

const texts = z.record(z.string(), z.string());

/** What the cluster holds, in plain text; the pod is as an API server sends it. */
const input = z.object({
  facts: z
    .object({
      zone: z.string(),
      subnetId: z.string(),
      securityPolicy: z.enum(['compatible', 'strict']),
      dns: z.object({ nameServers: z.array(z.string()), domain: z.string(), viaServices: z.boolean() }),
      services: z.object({ clusterCidr: z.string(), server: z.string(), secret: z.object({ namespace: z.string(), name: z.string() }) }),
    })
    .partial()
    .default({}),
  servicesCredential: z.object({ secretUid: z.string(), token: z.string(), caPem: z.string() }).exactOptional(),
  configMaps: z.record(z.string(), texts).default({}),
  secrets: z.record(z.string(), texts).default({}),
  services: z
    .array(
      z.object({
        name: z.string(),
        namespace: z.string(),
        clusterIP: z.string(),
        ports: z.array(z.object({ name: z.string().exactOptional(), port: z.number(), protocol: z.string() })),
      }),
    )
    .default([]),
  tokens: z.array(z.string()).default([]),
  images: z
    .record(
      z.string(),
      z.object({ digest: z.string(), entrypoint: z.array(z.string()), cmd: z.array(z.string()), env: texts, workingDir: z.string(), user: z.string() }),
    )
    .default({}),
  pod: z.unknown(),
});

/** As an API server that extends gives them. */
const living = (value: string) => ({ value, lifetimeSeconds: 31_536_000 });

const read = <T,>(value: T) => ({ ok: true, value }) as const;

const map = <T, U>(record: Record<string, T>, make: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, make(value)]));

function outputOf(file: string): string {
  const { configMaps, secrets, services, tokens, images, ...rest } = input.parse(JSON.parse(readFileSync(new URL(file, folder), 'utf8')));
  const pod = parsePod(rest.pod);
  if (pod === undefined) throw new Error(`${file} holds no pod`);
  const { zone, subnetId, securityPolicy, dns, services: clusterServices } = rest.facts;
  const nodeFacts = {
    ...facts,
    ...(zone !== undefined && { zone }),
    ...(subnetId !== undefined && { subnetId }),
    ...(securityPolicy !== undefined && { securityPolicy }),
    ...(dns !== undefined && { dns }),
    ...(clusterServices !== undefined && { services: clusterServices }),
  };
  const { servicesCredential } = rest;
  const references = { ...(servicesCredential && { servicesCredential }), ...resolved({ configMaps: map(configMaps, configMap), secrets: map(secrets, (data) => secret(data)), services, tokens: tokens.map(living), images: map(images, read) }) };
  const output = {
    references: { ...listReferences(pod, nodeFacts), images: imageReferences(pod, nodeFacts, references) },
    translation: translatePod(pod, nodeFacts, references),
  };
  return `${JSON.stringify(output, undefined, 2)}\n`;
}

const inputs = readdirSync(folder).filter((file) => file.endsWith('.input.json'));

describe('a pod as an API server sends it becomes the group that is on file', () => {
  it.each(inputs)('%s', (file) => {
    const expected = new URL(file.replace('.input.json', '.output.json'), folder);
    const output = outputOf(file);
    expect(output).toBe(golden(expected, output));
  });

  it('has a file for each input, and no other', () => {
    const outputs = readdirSync(folder).filter((file) => file.endsWith('.output.json'));
    expect(outputs.map((file) => file.replace('.output.', '.input.'))).toEqual(inputs);
    expect(inputs.length).toBeGreaterThanOrEqual(12);
  });
});
