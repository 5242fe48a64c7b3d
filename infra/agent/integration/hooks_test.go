package integration

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"serverless-kubelet.local/agent/internal/report"
)

// drained is how long the end took from when it was asked for, with so many seconds of grace.
func (p *pod) drained(grace int) time.Duration {
	p.t.Helper()
	m := p.await("the end", func(m report.Message) bool { return ended(m) && !m.State.DrainBy.IsZero() })
	return m.State.Ended.FinishedAt.Sub(m.State.DrainBy.Add(-time.Duration(grace) * time.Second))
}

func TestHooks(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	c := p.container("web", supervised(`trap 'echo term >>/tmp/order; exit 6' TERM; echo program >>/tmp/order; touch /tmp/up; while :; do usleep 10000; done`,
		`,"postStart":{"exec":{"command":["sh","-c","usleep 300000; echo postStart >>/tmp/order; echo loud"]}},"preStop":{"exec":{"command":["sh","-c","echo preStop >>/tmp/order; sleep 1"]}}`))
	r := c.start()
	m := p.await("not started before its hook", func(m report.Message) bool { return m.State.Phase == report.Running })
	if m.State.Started {
		t.Error(p.dump())
	}
	p.await("started", func(m report.Message) bool { return m.State.Started && m.State.Ready })
	if output, err := r.enter("{}\n", "/.sk/d"); err != nil || output != "{\"ok\":true}\n" {
		t.Errorf("%q, %v", output, err)
	}
	if code := r.wait(); code != 6 {
		t.Error(code)
	}
	if took := p.drained(10); took < time.Second || took > 4*time.Second {
		t.Error(took, p.dump())
	}
	if got := c.read("tmp/order"); got != "program\npostStart\npreStop\nterm\n" || r.stdout.Len() > 0 {
		t.Errorf("%q, wrote %q", got, &r.stdout)
	}
	p.await("the drain", func(m report.Message) bool { return !m.State.DrainBy.IsZero() })
}

func TestPostStartThatFails(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	r := p.container("web", supervised(`trap 'exit 4' TERM; touch /tmp/up; while :; do usleep 10000; done`,
		`,"postStart":{"exec":{"command":["sh","-c","while [ ! -e /tmp/up ]; do usleep 1000; done; exit 1"]}}`)).start()
	if code := r.wait(); code != 4 {
		t.Error(code)
	}
	m := p.await("the end", ended)
	if m.State.Started || !strings.Contains(p.events(), "FailedPostStartHook: PostStartHook failed") || !strings.Contains(p.events(), "Killing: FailedPostStartHook") {
		t.Error(p.dump())
	}
}

func TestGrace(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, script, members, orders string
		grace, code                   int
		least, most                   time.Duration
	}{
		{"who listens ends", `trap 'exit 3' TERM; touch /tmp/up; while :; do usleep 10000; done`, "", `{"graceSeconds":20}`, 20, 3, 0, 2 * time.Second},
		{"who does not is killed, no second later", `trap '' TERM; touch /tmp/up; while :; do usleep 10000; done`, "", `{"graceSeconds":3}`, 3, 137, 3 * time.Second, 4 * time.Second},
		{"a hook that blocks leaves two seconds", `trap 'usleep 1000000; exit 3' TERM; touch /tmp/up; while :; do usleep 10000; done`,
			`,"preStop":{"exec":{"command":["sleep","100"]}}`, `{"graceSeconds":2}`, 2, 3, 3 * time.Second, 5 * time.Second},
		{"the stop signal", `trap 'exit 8' USR1; trap '' TERM; touch /tmp/up; while :; do usleep 10000; done`, `,"stopSignal":"SIGUSR1"`, `{}`, 10, 8, 0, 2 * time.Second},
		{"a hook that sleeps", `trap 'exit 3' TERM; touch /tmp/up; while :; do usleep 10000; done`, `,"preStop":{"sleep":{"seconds":2}}`, `{}`, 10, 3, 2 * time.Second, 3 * time.Second},
		{"no order at all", `trap 'exit 3' TERM; touch /tmp/up; while :; do usleep 10000; done`, "", "", 10, 3, 0, 2 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newPod(t)
			r := p.container("web", supervised(row.script, row.members)).start()
			r.awaitFile("tmp/up")
			line := ""
			if row.orders != "" {
				line = row.orders + "\n"
			}
			if output, err := r.enter(line, "/.sk/d"); err != nil {
				t.Fatal(output, err)
			}
			code := r.wait()
			if took := p.drained(row.grace); code != row.code || took < row.least || took > row.most {
				t.Errorf("%d after %v\n%s", code, took, p.dump())
			}
		})
	}
}

func TestSecondDrainBringsTheEndNearer(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	r := p.container("web", supervised(`trap '' TERM; touch /tmp/up; while :; do usleep 10000; done`, "")).start()
	r.awaitFile("tmp/up")
	for _, line := range []string{`{"graceSeconds":60}`, `{"graceSeconds":90}`, `{"graceSeconds":3}`, `{"graceSeconds":50}`} {
		if output, err := r.enter(line+"\n", "/.sk/d"); err != nil {
			t.Fatal(output, err)
		}
	}
	if code := r.wait(); code != 137 {
		t.Error(code)
	}
	m := p.await("the end", ended)
	if late := m.State.Ended.FinishedAt.Sub(m.State.DrainBy); late < 0 || late > 2*time.Second {
		t.Error(late, p.dump())
	}
}

func TestParked(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	c := p.container("web", strings.Replace(supervised(`trap 'exit 7' TERM; touch /tmp/up; while :; do usleep 10000; done`, ""), `"Never"`, `"Always"`, 1))
	r := c.start()
	r.awaitFile("tmp/up")
	if output, err := r.enter("{}\n", "/.sk/d"); err != nil {
		t.Fatal(output, err)
	}
	m := p.await("parked", func(m report.Message) bool { return m.State.Phase == report.Parked })
	if m.State.Ended.ExitCode != 7 || !m.State.Final {
		t.Error(p.dump())
	}
	if output, err := r.enter("", "/bin/ps", "-o", "comm"); err != nil || strings.Contains(output, "usleep") {
		t.Errorf("%q, %v: something runs", output, err)
	}
	select {
	case <-r.done:
		t.Fatal("it ended, and would be started again")
	case <-time.After(300 * time.Millisecond):
	}
	r.signal(syscall.SIGTERM)
	if code := r.wait(); code != 7 {
		t.Error(code)
	}
}

// A drain that comes while a probe's kill is under way brings its end nearer, and nothing starts the container again.
func TestDrainWhileAProbeKills(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	orders := supervised(`trap 'touch /tmp/dying' TERM; touch /tmp/up; while :; do usleep 10000; done`,
		`,"livenessProbe":{"exec":{"command":["false"]},"periodSeconds":1,"failureThreshold":1,"terminationGracePeriodSeconds":600}`)
	r := p.container("web", strings.Replace(orders, `"Never"`, `"Always"`, 1)).start()
	r.awaitFile("tmp/dying")
	if output, err := r.enter("{\"graceSeconds\":2}\n", "/.sk/d"); err != nil {
		t.Fatal(output, err)
	}
	m := p.await("parked", func(m report.Message) bool { return m.State.Phase == report.Parked })
	if m.State.Ended.ExitCode != 137 || !m.State.Final || m.State.Ended.FinishedAt.Sub(m.State.DrainBy) > 2*time.Second {
		t.Error(p.dump())
	}
}
