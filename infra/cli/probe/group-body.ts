import { createHash } from 'node:crypto';
import type { GroupBody, GroupContainer, GroupInitContainer, GroupPort } from '../../../shared/core/group/group.ts';
import { probePlaces, probeScript, secretFile } from './script.ts';

/** By this a later run knows a group for a probe's: no other tag of ours is on it, so that the app leaves it alone. */
const probeTag = 'serverless-kubelet-probe';

export interface ProbeWants {
  readonly installation: string;
  readonly location: string;
  /** Undefined: outside of every subnet. */
  readonly subnetId: string | undefined;
  /** A busybox. */
  readonly image: string;
  /** Where the app answers 404; undefined: it is not tried. */
  readonly appUrl: string | undefined;
  /** A name that is to resolve. */
  readonly name: string;
}

/** The same for each run of an installation: what one has left is found by the next. */
export const probeGroupName = (installation: string): string =>
  `serverless-kubelet-probe-${createHash('sha256').update(`probe\n${installation}`).digest('hex').slice(0, 12)}`;

export const probeContainers = ['first', 'second'] as const;

/** One small group, of one core and one gigabyte in all. Pure. */
export function probeGroup(wants: ProbeWants): GroupBody {
  const { installation, location, subnetId } = wants;
  return {
    location,
    tags: { [probeTag]: installation },
    restartPolicy: 'OnFailure',
    initContainers: [container('init', wants)],
    containers: [
      main('first', wants, { share: 0.6, ports: [] }),
      main('second', wants, { share: 0.4, ports: [probePort] }),
    ],
    imageRegistryCredentials: [],
    volumes: [
      { name: 'shared', emptyDir: {} },
      { name: 'secret', secret: { [secretFile]: Buffer.from('no secret').toString('base64') } },
    ],
    // Without a port ARM shows no address.
    ...(subnetId !== undefined && {
      subnetIds: [{ id: subnetId }] as const,
      ipAddress: { type: 'Private', ports: [probePort] } as const,
    }),
  };
}

const container = (phase: string, { image, appUrl = '', name }: ProbeWants): GroupInitContainer => ({
  name: phase,
  image,
  // The last word is there to be seen, or not, by the other container.
  command: ['/bin/sh', '-c', probeScript, `PHASE-${phase}`],
  environmentVariables: [
    { name: 'PHASE', value: phase },
    { name: 'APP_URL', value: appUrl },
    { name: 'NAME', value: name },
  ],
  volumeMounts: [
    { name: 'shared', mountPath: probePlaces.shared },
    { name: 'secret', mountPath: probePlaces.secret, ...(phase !== 'init' && { readOnly: true }) },
  ],
});

const probePort: GroupPort = { port: 18_998, protocol: 'TCP' };

const main = (
  phase: string,
  wants: ProbeWants,
  { share, ports }: { readonly share: number; readonly ports: readonly GroupPort[] },
): GroupContainer => ({
  ...container(phase, wants),
  ports,
  resources: { requests: { cpu: share, memoryInGB: share } },
});
