/** What an image says of how it is run: the `config` of its OCI image configuration, without what nobody here asks for. */
export interface ImageConfig {
  /** Of what the reference names, be it an index or a manifest: what a kubelet's `imageID` shows. Absent: an operator's word (`ImageOverride`), no registry was asked. */
  readonly digest?: string;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Empty: `/`. */
  readonly workingDir: string;
  /** `USER`: name or number, with `:GROUP` or without; empty: root. */
  readonly user: string;
  readonly stopSignal?: string;
}
