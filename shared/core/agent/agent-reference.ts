/**
 * The tag under which an image of the agent is published. It has the version and the digest's beginning, so that it never
 * moves: an older image keeps its tag, and what a registry deletes because no tag names it is not one of them.
 */
export const agentTag = (version: string, digest: string): string =>
  `${version}-${digest.replace(/^sha256:/, '').slice(0, 12)}`;
