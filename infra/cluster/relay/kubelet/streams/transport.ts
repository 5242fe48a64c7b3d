/** A connection that bytes go over, whatever it is made of. */
export interface ByteTransport {
  /** What the other side sends, as it comes; ends when it is gone, and never fails. What is not read holds up the sender. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Resolves when there is room for more, or the connection is gone. In the order of the calls. */
  write(bytes: Uint8Array): Promise<void>;
  /** Says that nothing follows, after what was written. */
  end(): void;
  destroy(): void;
}
