/**
 * A busybox of Microsoft's registry, which has no limit of pulls for who is not known there: that of Azure Linux 3, an
 * index of several platforms. Nobody here has pulled it (docs/assumptions.md).
 */
export const defaultDownloadImage =
  'mcr.microsoft.com/azurelinux/busybox@sha256:330ce7e940f7476089c4c74565c63767988e188b06988e58e76b54890e7f621b';

/** What an init container fetches and starts. */
export interface Download {
  /** Without blanks; whatever its certificate says, as the hash alone decides. */
  readonly url: string;
  /** Of the program, 64 hexadecimal digits. */
  readonly sha256: string;
  /** Where it may be written and run: the volume of the agent. */
  readonly folder: string;
  /** After so long it gives up; ACI starts the init container again, where the pod's policy is not Never. */
  readonly seconds?: number;
}

/** How that init container ends where the program never ran; 120 to 125 are also the program's own, with the same meaning. */
export const downloadEnds = {
  otherBytes: 118,
  unreachable: 119,
  notWritable: 122,
  notExecutable: 123,
  noSpace: 124,
} as const;

const defaultSeconds = 150;

/**
 * The command of an init container of {@link defaultDownloadImage} or its like, which fetches the agent from the app and
 * runs its `install`. It says nothing on its standard output, and one line on the other where it fails. Pure.
 */
export function downloadCommand({ url, sha256, folder, seconds = defaultSeconds }: Download): readonly string[] {
  return ['/bin/sh', '-c', script, 'sk', url, sha256, folder, String(seconds)];
}

/**
 * For the shell of any busybox, with wget, gunzip and sha256sum; curl is taken first where an image has it, since the TLS that
 * is built into busybox names no signature algorithms, which servers of today may refuse. Some builds of wget check a
 * certificate with an openssl that may not be there or knows no authority, some check nothing, some know no option at all:
 * each try leaves out more. What arrives is taken by its hash alone, packed or, where something on the way has unpacked it,
 * as it is.
 */
const script = `
url=$1 sum=$2 dir=$3 seconds=$4
file=$dir/.fetched
end() { rm -f "$file" "$file.gz"; echo "sk: $2" >&2; exit "$1"; }
command -v timeout >/dev/null 2>&1 || timeout() { shift; "$@"; }
is_right() { echo "$sum  $file" | sha256sum -c >/dev/null 2>&1; }
first=1
command -v curl >/dev/null 2>&1 && first=0
fetch() {
  why=$({ timeout 60 "$@"; } 2>&1 </dev/null) || return
  why=$({ gunzip -c <"$file.gz" >"$file"; } 2>&1)
  is_right && return
  mv "$file.gz" "$file" && is_right && return
  case $why in *'No space left'*) ;; *) why=other ;; esac
  return 1
}
why=$({ : >"$file"; } 2>&1) || case $why in
  *'No space left'*) end ${downloadEnds.noSpace} "no space in $dir" ;;
  *) end ${downloadEnds.notWritable} "$dir can't be written to: $why" ;;
esac
since=$(date +%s) tries=0
while :; do
  case $((first + tries % (4 - first))) in
    0) fetch curl -kfsS -H 'Accept-Encoding: gzip' -o "$file.gz" "$url" && break ;;
    1) fetch wget -q --header 'Accept-Encoding: gzip' -O "$file.gz" "$url" && break ;;
    2) fetch wget -q --no-check-certificate --header 'Accept-Encoding: gzip' -O "$file.gz" "$url" && break ;;
    3) fetch wget -q -O "$file.gz" "$url" && break ;;
  esac
  case $why in *'No space left'*) end ${downloadEnds.noSpace} "no space in $dir for the agent" ;; esac
  tries=$((tries + 1))
  if [ $(($(date +%s) - since)) -ge "$seconds" ]; then
    [ "$why" != other ] || end ${downloadEnds.otherBytes} "$url has other bytes than the agent of this group"
    end ${downloadEnds.unreachable} "the agent could not be fetched from $url in $tries tries: $why"
  fi
  sleep $((tries < 8 ? 1 + tries / 3 : 4))
done
rm -f "$file.gz"
chmod 0555 "$file"
"$file" install
code=$?
[ "$code" != 126 ] || end ${downloadEnds.notExecutable} "$dir does not let programs run"
rm -f "$file"
exit "$code"
`.trim();
