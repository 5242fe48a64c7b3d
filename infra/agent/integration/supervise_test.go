package integration

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"serverless-kubelet.local/agent/internal/report"
)

func chown(name string, uid int) error { return os.Chown(name, uid, -1) }

func ended(m report.Message) bool { return m.State.Ended != nil }

func TestCodes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		script       string
		code, signal int
		reason       string
	}{
		{"exit 0", 0, 0, "Completed"},
		{"exit 7", 7, 0, "Error"},
		{"kill -KILL $$", 137, 9, "Error"},
		{"kill -TERM $$", 143, 15, "Error"},
	} {
		p := newPod(t)
		r := p.container("web", supervised(`echo out; echo err >&2; `+row.script, "")).start()
		if code := r.wait(); code != row.code || r.stdout.String() != "out\n" || r.stderr.String() != "err\n" {
			t.Errorf("%s: %d %q %q", row.script, code, &r.stdout, &r.stderr)
		}
		m := p.await(row.script, ended)
		if end := m.State.Ended; end.ExitCode != row.code || end.Signal != row.signal || end.Reason != row.reason || !m.State.Final ||
			end.StartedAt.IsZero() || end.FinishedAt.Before(end.StartedAt) {
			t.Errorf("%+v", end)
		}
	}
}

func TestSignalsAreForwarded(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	script := `trap 'echo usr1' USR1; trap 'echo int' INT; trap 'echo term; exit 9' TERM; touch /tmp/up; while :; do usleep 10000; done`
	r := p.container("web", supervised(script, "")).start()
	r.awaitFile("tmp/up")
	for _, number := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGINT, syscall.SIGTERM} {
		r.signal(number)
		time.Sleep(100 * time.Millisecond)
	}
	if code := r.wait(); code != 9 || r.stdout.String() != "usr1\nint\nterm\n" {
		t.Errorf("%d %q", code, &r.stdout)
	}
}

func TestOrphansAreReapedAndEnd(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	script := `(sleep 0.1 & exec sleep 0) ; (sh -c 'trap "" TERM; touch /tmp/left; while :; do sleep 1; done' &) ; for i in $(echo 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20); do usleep 200000; n=$(ps -o stat | grep -c Z); [ $n = 0 ] && break; done; echo $n; exit 3`
	r := p.container("web", supervised(script, "")).start()
	if code := r.wait(); code != 3 || r.stdout.String() != "0\n" {
		t.Errorf("%d %q %q", code, &r.stdout, &r.stderr)
	}
}

func TestTerminationMessage(t *testing.T) {
	t.Parallel()
	file := `,"termination":{"path":"/dev/termination-log","policy":"File"}`
	fallback := `,"termination":{"path":"/tekton/termination","policy":"FallbackToLogsOnError","keepLog":true}`
	for _, row := range []struct{ script, members, want, output string }{
		{"printf OK >/dev/termination-log; echo log", file, "OK", "log\n"},
		{"echo log; exit 1", file, "", "log\n"},
		{"printf result >/tekton/termination; echo log; exit 1", fallback, "result", "log\n"},
		{"printf DONE; exit 1", fallback, "DONE", "DONE"},
		{"printf DONE", fallback, "", "DONE"},
		{"echo out; usleep 50000; echo err >&2; exit 1", fallback, "out\nerr\n", "out\n"},
	} {
		p := newPod(t)
		r := p.container("web", supervised(row.script, row.members)).start()
		r.wait()
		if m := p.await(row.script, ended); m.State.Ended.Message != row.want || r.stdout.String() != row.output {
			t.Errorf("%s: %q, wrote %q %q", row.script, m.State.Ended.Message, &r.stdout, &r.stderr)
		}
	}
	// Another user, another path (as in Kubernetes' own suite).
	p := newPod(t)
	c := p.container("web", `"mode":"supervise","program":{"argv":["sh","-c","printf DONE >/dev/own"],"user":{"uid":10000}},
		"supervise":{"restartPolicy":"Never","graceSeconds":1,"termination":{"path":"/dev/own","policy":"File"}}`)
	c.start().wait()
	if m := p.await("the end", ended); m.State.Ended.Message != "DONE" {
		t.Error(p.dump())
	}
}

// Whoever a program runs as can open its output by its path, as nginx does with links to /dev/stdout.
func TestOutputByItsPath(t *testing.T) {
	t.Parallel()
	program := `"program":{"argv":["sh","-c","echo out >/proc/self/fd/1; echo err >/proc/self/fd/2"],"user":{"uid":10000}%s}`
	supervise := `,"supervise":{"restartPolicy":"Never","graceSeconds":1%s}`
	for name, orders := range map[string]string{
		"exec mode":         `"mode":"exec",` + fmt.Sprintf(program, ""),
		"supervised":        `"mode":"supervise",` + fmt.Sprintf(program, "") + fmt.Sprintf(supervise, ""),
		"kept":              `"mode":"supervise",` + fmt.Sprintf(program, "") + fmt.Sprintf(supervise, `,"termination":{"path":"/tmp/message","policy":"FallbackToLogsOnError","keepLog":true}`),
		"to be attached to": `"mode":"supervise",` + fmt.Sprintf(program, `,"stdin":true`) + fmt.Sprintf(supervise, ""),
	} {
		r := newPod(t).container("web", orders).start()
		if code := r.wait(); code != 0 || r.stdout.String() != "out\n" || r.stderr.String() != "err\n" {
			t.Errorf("%s: %d %q %q", name, code, &r.stdout, &r.stderr)
		}
	}
}

// A job beside the program writes to the log of the container by way of its process 1.
func TestLogOfProcess1(t *testing.T) {
	t.Parallel()
	r := newPod(t).container("web", supervised("echo from a job >/proc/1/fd/1; echo lost >/proc/1/fd/2; exit 4", "")).start()
	if code := r.wait(); code != 4 || r.stdout.String() != "from a job\n" || r.stderr.String() != "" {
		t.Errorf("%d %q %q", code, &r.stdout, &r.stderr)
	}
}

func TestProbes(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	web := `mkdir /www; (usleep 1200000; echo ok >/www/healthz) & httpd -f -p 38080 -h /www & trap 'exit 5' TERM; touch /tmp/up; wait; while :; do usleep 10000; done`
	r := p.container("web", supervised(web, `,
		"startupProbe":{"httpGet":{"path":"/healthz","port":38080},"periodSeconds":1,"failureThreshold":30},
		"readinessProbe":{"exec":{"command":["test","!","-e","/tmp/unready"]},"periodSeconds":1,"failureThreshold":1},
		"livenessProbe":{"tcpSocket":{"port":38080},"periodSeconds":1,"failureThreshold":2}`)).start()
	p.await("waiting for startup", func(m report.Message) bool {
		return m.State.Phase == report.Running && !m.State.Started && !m.State.Ready
	})
	ready := p.await("ready", func(m report.Message) bool { return m.State.Ready && m.State.Started })
	r.write("tmp/unready", "", 0o644)
	p.await("unready", func(m report.Message) bool {
		return m.Number > ready.Number && m.State.Started && !m.State.Ready
	})
	r.must(os.Remove(r.at("tmp/unready")))
	if output, err := r.enter("", "/bin/sh", "-c", "kill $(ps -o pid,args | grep 'httpd -f' | grep -v -e grep -e ' sh ' | sed 's/^ *//;s/ .*//')"); err != nil {
		t.Fatal(output, err)
	}
	if code := r.wait(); code != 5 {
		t.Error(code)
	}
	p.await("the end", ended)
	for _, want := range []string{
		"Unhealthy: Startup probe failed: HTTP probe failed with statuscode: 404",
		"Unhealthy: Readiness probe failed: ",
		"Unhealthy: Liveness probe failed: dial tcp ",
		":38080: connect: connection refused",
		"Killing: Container web failed liveness probe",
	} {
		if !strings.Contains(p.events(), want) {
			t.Errorf("no event %q in\n%s", want, p.dump())
		}
	}
	if strings.Contains(p.events(), "will be restarted") {
		t.Error("under Never nothing is")
	}
}

func TestProbesKill(t *testing.T) {
	t.Parallel()
	liveness := `,"livenessProbe":{"exec":{"command":["cat","/tmp/alive"]},"periodSeconds":1,"failureThreshold":2,"terminationGracePeriodSeconds":1}`
	for _, row := range []struct {
		policy, script string
		code, recorded int
	}{
		{"Always", `trap 'exit 0' TERM; while :; do usleep 10000; done`, 0, 0},
		{"OnFailure", `trap 'exit 0' TERM; while :; do usleep 10000; done`, 137, 0},
		{"OnFailure", `trap '' TERM; while :; do usleep 10000; done`, 137, 137},
	} {
		p := newPod(t)
		c := p.container("web", strings.Replace(supervised(row.script, liveness), `"Never"`, `"`+row.policy+`"`, 1))
		if code := c.start().wait(); code != row.code {
			t.Errorf("%s: %d", row.policy, code)
		}
		m := p.await("the end", ended)
		// The grace is the probe's, and not the pod's.
		if took := m.State.Ended.FinishedAt.Sub(m.State.Ended.StartedAt); took > 9*time.Second {
			t.Errorf("%s: it took %v", row.policy, took)
		}
		if m.State.Ended.ExitCode != row.recorded || m.State.Final ||
			!strings.Contains(p.events(), "Killing: Container web failed liveness probe, will be restarted") ||
			!strings.Contains(p.events(), "Unhealthy: Liveness probe failed: cat: can't open '/tmp/alive': No such file or directory") {
			t.Errorf("%s", p.dump())
		}
	}
}

func TestExecProbeThatNeverReturns(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	r := p.container("web", supervised("sleep 1000", `,"livenessProbe":{"exec":{"command":["sleep","100"]},"periodSeconds":1,"timeoutSeconds":1,"failureThreshold":1}`)).start()
	if code := r.wait(); code != 143 || !strings.Contains(p.events(), `Liveness probe failed: command timed out: "sleep 100" timed out after 1s`) {
		t.Errorf("%d\n%s", code, p.dump())
	}
}

func TestRestartsInPlace(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	r := p.container("web", supervised(`n=$(cat /tmp/n 2>/dev/null); echo $((n+1)) >/tmp/n; [ "$n" = 2 ] && exit 0; exit 42`,
		`,"restart":{"policy":"Never","rules":[{"action":"Restart","exitCodes":{"operator":"In","values":[42]}}],"initialSeconds":1}`)).start()
	if code := r.wait(); code != 0 {
		t.Error(code)
	}
	m := p.await("the end", func(m report.Message) bool { return ended(m) && m.State.Final })
	if m.State.Restarts != 2 || m.State.LastEnded == nil || m.State.LastEnded.ExitCode != 42 {
		t.Error(p.dump())
	}
	p.await("the back-off", func(m report.Message) bool {
		w := m.State.Waiting
		return m.State.Phase == report.Waiting && w != nil && w.Reason == "CrashLoopBackOff" && strings.HasPrefix(w.Message, "back-off 1s restarting failed container=web pod=p_ns(")
	})
}

func TestNextRunKnowsTheOneBefore(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	p.down, p.flush = true, 2
	c := p.container("web", strings.Replace(supervised(`exit 3`, ""), `"Never"`, `"OnFailure"`, 1))
	if code := c.start().wait(); code != 3 {
		t.Fatal(code)
	}
	p.mu.Lock()
	p.down = false
	p.mu.Unlock()
	if code := c.start().wait(); code != 3 {
		t.Fatal(code)
	}
	m := p.await("the end before", func(m report.Message) bool { return m.State.LastEnded != nil && m.State.Ended != nil })
	if m.State.LastEnded.ExitCode != 3 || !m.State.LastEnded.FinishedAt.Before(m.State.Ended.StartedAt) {
		t.Error(p.dump())
	}
}
