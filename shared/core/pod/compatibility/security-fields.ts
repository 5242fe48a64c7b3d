import { prepared } from '../../agent/gift.ts';
import { under } from './field-rule.ts';
import type { FieldRow, FieldRule } from './field-rule.ts';

const off = { harmless: [false] };
const imageUser = 'the containers run as the user that their image names';
const everywhere = { concerns: 'all' } as const;

const shared: readonly FieldRow[] = [
  [
    'runAsUser',
    'emulated',
    `${imageUser}: of another one the pod is refused`,
    prepared.needs('any other one, where the image starts as root'),
  ],
  [
    'runAsGroup',
    'noted',
    'the containers run with the group that the image gives its user',
    prepared.wants('where the image starts as root', { judged: true }),
  ],
  ['runAsNonRoot', 'emulated', "checked against the image's user, as a kubelet does", off],
  ['seLinuxOptions', 'refused', 'the group has no SELinux'],
  ['windowsOptions', 'refused', 'the group runs Linux'],
  [
    'seccompProfile.type',
    'met',
    "the platform's own profile applies",
    { only: ['RuntimeDefault'], otherwise: 'only RuntimeDefault is there', harmless: ['Unconfined'] },
  ],
  ['seccompProfile.localhostProfile', 'refused', 'there is no node that could hold a profile'],
  [
    'appArmorProfile.type',
    'met',
    "the platform's own profile applies",
    {
      only: ['RuntimeDefault'],
      otherwise: 'only RuntimeDefault is there',
      harmless: ['Unconfined'],
      refusalReason: 'AppArmor',
    },
  ],
  [
    'appArmorProfile.localhostProfile',
    'refused',
    'there is no node that could hold a profile',
    { refusalReason: 'AppArmor' },
  ],
];

/** What every container of a group has without asking (docs/aci.md, Limits of a group). */
const grantedCapabilities = [
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'NET_RAW',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
];

export const podSecurityFields: readonly FieldRule[] = under('spec.securityContext', [
  ...shared,
  [
    'fsGroup',
    'emulated',
    'every user may read the files of volumes, and write those of emptyDir and shares',
    prepared.takes(
      'the group of files, of folders and, where the image starts as root, of the program; shares stay as they are',
    ),
  ],
  ['fsGroupChangePolicy', 'ignored', 'it says how fsGroup is applied, and no owner is changed'],
  [
    'supplementalGroups',
    'refused',
    "ACI can't add groups to a container's user",
    prepared.needs('where the image starts as root', everywhere),
  ],
  [
    'supplementalGroupsPolicy',
    'emulated',
    'the groups are those of the image',
    {
      only: ['Merge'],
      otherwise: 'only Merge is there',
      refusalReason: 'SupplementalGroupsPolicyNotSupported',
      ...prepared.needs('Strict, where the image starts as root', everywhere),
    },
  ],
  ['seLinuxChangePolicy', 'ignored', 'the group has no SELinux'],
  ['sysctls', 'refused', "ACI can't set kernel parameters", { refusalReason: 'SysctlForbidden' }],
]);

const containerOnly: readonly FieldRow[] = [
  ['privileged', 'refused', 'ACI runs no privileged containers', off],
  [
    'allowPrivilegeEscalation',
    'met',
    'what a process may gain ends at the virtual machine of its pod',
    {
      harmless: [true],
      only: [false],
      otherwise: 'true or false is expected',
      ...prepared.takes('no_new_privs is set'),
    },
  ],
  [
    'readOnlyRootFilesystem',
    'met',
    'the root file system is writable, but it is that of this group alone and goes with it',
    off,
  ],
  [
    'capabilities.drop',
    'met',
    'capabilities count only inside the virtual machine of the pod',
    prepared.takes('they are dropped'),
  ],
  [
    'capabilities.add[]',
    'emulated',
    'every container of a group has it',
    { only: grantedCapabilities.flatMap((name) => [name, `CAP_${name}`]), otherwise: "ACI can't add it" },
  ],
  ['procMount', 'emulated', 'the default masks apply', { only: ['Default'], otherwise: 'only Default is there' }],
];

export const containerSecurityFields: readonly FieldRow[] = [...shared, ...containerOnly].map(
  ([name, verdict, reason, more]): FieldRow => [`securityContext.${name}`, verdict, reason, more ?? {}],
);
