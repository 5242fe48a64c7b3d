import { frontDoor } from './errors.ts';
import type { ArmFault } from './errors.ts';

/** ARM's limits of the tags of any resource (docs/aci.md, Limits of a group). */
const limits = { tags: 50, name: 512, value: 256 } as const;
const reserved = '<,>,%,&,\\,?,/';
const reservedPattern = /[<>%&\\?/]/;

/** The first limit that tags break. Codes are inferred except that of reserved characters. */
export function checkTags(tags: Readonly<Record<string, string>> | undefined): ArmFault | undefined {
  const entries = Object.entries(tags ?? {});
  if (entries.length > limits.tags)
    return frontDoor.invalidTags('InvalidTags', `The number of tags exceeds the limit of '${limits.tags}'.`);
  for (const [name, value] of entries) {
    if (name.length === 0 || name.length > limits.name)
      return frontDoor.invalidTags('InvalidTagName', `A tag name must have 1 to ${limits.name} characters.`);
    if (reservedPattern.test(name))
      return frontDoor.invalidTags(
        'InvalidTagNameCharacters',
        `The tag names '${name}' have reserved characters '${reserved}' or control characters.`,
      );
    if (value.length > limits.value)
      return frontDoor.invalidTags(
        'InvalidTagValue',
        `The value of the tag '${name}' exceeds the limit of '${limits.value}' characters.`,
      );
  }
  return undefined;
}
