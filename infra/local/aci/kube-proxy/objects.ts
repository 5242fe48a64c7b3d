import * as z from 'zod';

/** Services and Endpoints, as far as a proxy needs them. Whether addresses and ports make sense is judged in `backends.ts`. */
const metadata = z.object({ namespace: z.string(), name: z.string(), resourceVersion: z.string().optional() });
const servicePort = z.object({ name: z.string().default(''), protocol: z.string().default('TCP'), port: z.number() });

export const serviceSchema = z.object({
  metadata,
  spec: z
    .object({
      clusterIP: z.string().optional(),
      ports: z.array(servicePort).optional(),
      externalIPs: z.array(z.string()).optional(),
      sessionAffinity: z.string().optional(),
      sessionAffinityConfig: z
        .object({ clientIP: z.object({ timeoutSeconds: z.number().optional() }).optional() })
        .optional(),
      publishNotReadyAddresses: z.boolean().optional(),
      loadBalancerSourceRanges: z.array(z.string()).optional(),
    })
    .default({}),
  status: z
    .object({
      loadBalancer: z.object({ ingress: z.array(z.object({ ip: z.string().optional() })).optional() }).optional(),
    })
    .default({}),
});

const address = z.object({ ip: z.string() });
export const endpointsSchema = z.object({
  metadata,
  subsets: z
    .array(
      z.object({
        addresses: z.array(address).nullish(),
        notReadyAddresses: z.array(address).nullish(),
        ports: z.array(servicePort).nullish(),
      }),
    )
    .nullish(),
});

export type Service = z.infer<typeof serviceSchema>;
export type Endpoints = z.infer<typeof endpointsSchema>;

/** `namespace/name`: what a Service and its Endpoints have in common. */
export const keyOf = ({ metadata: { namespace, name } }: Service | Endpoints): string => `${namespace}/${name}`;
