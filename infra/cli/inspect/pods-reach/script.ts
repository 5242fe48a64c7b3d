/** What one container tries, by the environment variables that the script reads; absent: that hop is not tried. */
export interface ReachTargets {
  /** Name servers, as they are registered. */
  readonly servers: readonly string[];
  readonly clusterName: string | undefined;
  readonly outside: string;
  /** `ADDRESS:PORT` of the Service kubernetes. */
  readonly service: string | undefined;
  /** `ADDRESS:PORT` of a pod of the cluster. */
  readonly pod: string | undefined;
}

/** The API server's address is KUBERNETES_SERVICE_HOST and _PORT, which each pod gets. */
export const reachEnvironment = ({
  servers,
  clusterName = '',
  outside,
  service = '',
  pod = '',
}: ReachTargets): Readonly<Record<string, string>> => ({
  REACH_SERVERS: servers.join(' '),
  REACH_CLUSTER_NAME: clusterName,
  REACH_OUTSIDE: outside,
  REACH_SERVICE: service,
  REACH_POD: pod,
});

/**
 * One line for each hop: `sk-reach HOP ok|failed|skipped DETAIL`, and `sk-reach end ok` when all are done. For a POSIX shell
 * with getent, and bash or an nc that knows -z. The hops run side by side, each with its own limit; it always ends with 0.
 * A name is found out by the libc, as a program in that image would.
 */
export const reachScript = `
seconds=\${REACH_SECONDS:-5}
command -v timeout >/dev/null 2>&1 || timeout() { shift; "$@"; }
say() { echo "sk-reach $*"; }
name() {
  command -v getent >/dev/null 2>&1 || { say "$1" skipped no getent; return; }
  since=$(date +%s)
  found=$(timeout "$((seconds * 3))" getent hosts "$2" 2>/dev/null)
  took=$(($(date +%s) - since))
  if [ -n "$found" ]; then set -- "$1" $found; say "$1" ok "$2"; else say "$1" failed "after $took s"; fi
}
knock() {
  if command -v bash >/dev/null 2>&1; then
    timeout "$seconds" bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2"
  else
    timeout "$((seconds + 1))" nc -z -w "$seconds" "$1" "$2"
  fi
}
can_knock() {
  command -v bash >/dev/null 2>&1 && return
  command -v nc >/dev/null 2>&1 || return
  case "$(nc -h 2>&1 </dev/null)" in *-z* | *z]*) return 0 ;; esac
  return 1
}
tcp() {
  can_knock || { say "$1" skipped no bash, and no nc that knows -z; return; }
  since=$(date +%s)
  if knock "$2" "$3" >/dev/null 2>&1 </dev/null; then say "$1" ok; return; fi
  took=$(($(date +%s) - since))
  if [ "$took" -ge "$seconds" ]; then say "$1" failed "no answer in $seconds s"; else say "$1" failed refused; fi
}
say resolver ok $(sed -n 's/^nameserver[[:space:]]*//p' /etc/resolv.conf 2>/dev/null)
for server in $REACH_SERVERS; do tcp "server/$server" "$server" "\${REACH_SERVER_PORT:-53}" & done
[ -z "$REACH_CLUSTER_NAME" ] || name cluster-name "$REACH_CLUSTER_NAME" &
[ -z "$REACH_OUTSIDE" ] || name outside-name "$REACH_OUTSIDE" &
[ -z "$REACH_OUTSIDE" ] || tcp outside "$REACH_OUTSIDE" "\${REACH_OUTSIDE_PORT:-443}" &
[ -z "$REACH_SERVICE" ] || tcp service "\${REACH_SERVICE%:*}" "\${REACH_SERVICE##*:}" &
[ -z "$REACH_POD" ] || tcp pod "\${REACH_POD%:*}" "\${REACH_POD##*:}" &
case "$KUBERNETES_SERVICE_HOST" in
  '') say api failed KUBERNETES_SERVICE_HOST is not set ;;
  *[!0-9.]*) case "$KUBERNETES_SERVICE_HOST" in *:*) ;; *) name api-name "$KUBERNETES_SERVICE_HOST" & ;; esac ;;
esac
[ -z "$KUBERNETES_SERVICE_HOST" ] || tcp api "$KUBERNETES_SERVICE_HOST" "\${KUBERNETES_SERVICE_PORT:-443}" &
wait
say end ok
exit 0
`.trim();
