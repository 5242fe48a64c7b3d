/** What a client may send over SPDY; who goes beyond gets GOAWAY, and the connection ends. */
export const spdyLimits = {
  /** Of a control frame. Those of Kubernetes have less than a hundred bytes; data comes in pieces and needs no limit. */
  controlBytes: 16_384,
  /** Of a block of headers when it is inflated: deflate can hold a thousand times its own size. */
  headerBytes: 16_384,
  headers: 64,
  /** Frames in a row that nobody needs: of unknown kinds, of streams that are not there, empty ones. */
  uselessFrames: 1_000,
  /** That a stream holds unread before no more is read of its connection. */
  unreadBytes: 262_144,
  /** Of what is written in one frame, so that streams take turns. */
  dataBytes: 32_768,
} as const;

/** Both windows are as large as this before anybody says otherwise. */
export const initialWindow = 65_536;
export const largestWindow = 0x7f_ff_ff_ff;
