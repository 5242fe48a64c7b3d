import manifest from '../../package.json' with { type: 'json' };

/** Of this app, as its package says; built in where it is bundled. */
export const version: string = manifest.version;
