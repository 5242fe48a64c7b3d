/** One file of an archive. */
export interface TarFile {
  /** At most 100 characters of ASCII, without a slash at the front. */
  readonly name: string;
  readonly mode: number;
  readonly bytes: Uint8Array;
}

const blockBytes = 512;
const regularFile = '0';

/**
 * An archive (POSIX ustar) of these files, in this order, all of root and of the first moment of 1970: the same files give
 * the same bytes. Links, folders and long names are not written.
 */
export function packTar(files: readonly TarFile[]): Buffer {
  const end = Buffer.alloc(2 * blockBytes);
  return Buffer.concat([...files.flatMap((file) => [header(file), file.bytes, padding(file.bytes.length)]), end]);
}

const padding = (length: number): Buffer => Buffer.alloc((blockBytes - (length % blockBytes)) % blockBytes);

function header({ name, mode, bytes }: TarFile): Buffer {
  const block = Buffer.alloc(blockBytes);
  const write = (text: string, at: number): void => void block.write(text, at, 'latin1');
  write(name, 0);
  write(octal(mode, 8), 100);
  write(octal(0, 8), 108); // uid
  write(octal(0, 8), 116); // gid
  write(octal(bytes.length, 12), 124);
  write(octal(0, 12), 136); // when it was changed
  write(' '.repeat(8), 148); // the sum counts its own field as blanks
  write(regularFile, 156);
  write('ustar\u{0}00', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  write(`${octal(sum, 7)} `, 148);
  return block;
}

/** Digits and a NUL, `width` bytes in all. */
const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\u{0}`;
