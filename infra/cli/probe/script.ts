/** Where the volumes of the probe's group are. */
export const probePlaces = { shared: '/sk-probe', secret: '/sk-secret' } as const;
/** The file of the secret volume. */
export const secretFile = 'key';
/** A name that only an init container gives an address (RFC 2606, RFC 5737). */
export const addedName = 'sk-probe.invalid';
export const firstExitCode = 3;

/**
 * What the containers of the probe's group run, by `PHASE`: `init`, then `first`, which fails once so that ACI starts it
 * again, and `second` beside it. Each measurement is a line `sk-probe {"name":…,"value":…}`; `end` is the last. For the shell
 * of a busybox; what a build lacks is left out and so counts as unmeasured.
 */
export const probeScript = `
shared=${probePlaces.shared} secret=${probePlaces.secret}/${secretFile}
has() { command -v "$1" >/dev/null 2>&1; }
flat() { printf %s "$1" | tr '\\n\\t\\r"\\\\' '  ...' | cut -c1-300; }
say() { printf 'sk-probe {"name":"%s","value":"%s"}\\n' "$1" "$(flat "$2")"; }
mount_of() { sed -n "s#^[^ ]* $1 \\([^ ]*\\) \\([^ ]*\\) .*#\\1 \\2#p" /proc/mounts; }
facts() {
  say "$1.user" "$(id -u):$(id -g)"
  say "$1.kernel" "$(uname -r)"
  say "$1.capabilities" "$(sed -n 's/^CapEff:[^0-9a-f]*//p' /proc/self/status)"
  say "$1.addresses" "$(ip -4 addr 2>/dev/null | sed -n 's/^ *inet \\([0-9.]*\\).*/\\1/p')"
  say "$1.hosts-added" "$(grep -c ${addedName} /etc/hosts)"
  say "$1.hosts-own" "$(grep -w "$(hostname)" /etc/hosts)"
  say "$1.resolver" "$(sed -n 's/^nameserver *//p' /etc/resolv.conf)"
  say "$1.shared-mount" "$(mount_of $shared)"
  say "$1.shared-mode" "$(stat -c %a $shared)"
  say "$1.secret-mount" "$(mount_of ${probePlaces.secret})"
  say "$1.secret-mode" "$(stat -L -c '%a %u:%g' $secret)"
  say "$1.environment" "$(env | sed 's/=.*//' | sort)"
  if [ -r /sys/fs/cgroup/memory.events ]; then say "$1.cgroup" v2
  elif [ -r /sys/fs/cgroup/memory/memory.oom_control ]; then say "$1.cgroup" v1
  else say "$1.cgroup" none; fi
}
app() {
  [ -n "$APP_URL" ] && has wget || return
  answer=$({ wget -q -O /dev/null "$APP_URL" || wget -q --no-check-certificate -O /dev/null "$APP_URL"; } 2>&1)
  case $answer in '' | *' 404 '* | *'404: '*) say "$1.app" reached ;; *) say "$1.app" "$answer" ;; esac
}
runs() { [ -x $shared/run ] && $shared/run 2>&1 || echo failed; }
case $PHASE in
init)
  echo run >>$shared/init-runs
  say init.secret-before "$(stat -L -c '%a %u:%g' $secret)"
  printf '#!/bin/sh\\necho ran\\n' >$shared/run && chmod 0555 $shared/run
  chown 1000:1001 $secret 2>/dev/null; chmod 0400 $secret 2>/dev/null
  echo "192.0.2.7 ${addedName}" >>/etc/hosts
  facts init
  has nslookup && if nslookup "$NAME" >/dev/null 2>&1; then say init.names resolved; else say init.names not; fi
  app init
  say end init
  ;;
first)
  if [ ! -f $shared/first-ran ]; then
    { facts first; say first.run "$(runs)"; app first; date +%s >$shared/first-ran; } >$shared/first.log 2>&1
    cat $shared/first.log
    say end first
    date +%s >$shared/first-ended
    exit ${firstExitCode}
  fi
  trap 'say again.signal TERM; exit 0' TERM
  [ -f $shared/first.log ] && cat $shared/first.log
  facts again
  say again.run "$(runs)"
  say again.waited "$(($(date +%s) - $(cat $shared/first-ended)))"
  say again.init-runs "$(grep -c run $shared/init-runs)"
  has wget && say again.neighbour "$(wget -q -O - http://127.0.0.1:18998/word 2>&1)"
  touch $shared/done
  say end again
  while :; do sleep 1 & wait $!; done
  ;;
second)
  for each in 1 2 3 4 5 6 7 8 9 10; do [ -f $shared/first-ran ] || sleep 1; done
  facts second
  say second.run "$(runs)"
  if has chpst; then say second.run-as-user "$(chpst -u :1000:1000 $shared/run 2>&1)"; fi
  say second.processes "$(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -c 'PHASE-[f]irst')"
  if has httpd; then mkdir -p /tmp/www && echo shared >/tmp/www/word && httpd -p 127.0.0.1:18998 -h /tmp/www; fi
  say end second
  waited=0
  while [ ! -f $shared/done ] && [ $waited -lt 240 ]; do sleep 1; waited=$((waited + 1)); done
  sleep 5
  ;;
esac
`.trim();
