package integration

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"serverless-kubelet.local/agent/internal/report"
)

const forever = `trap 'exit 0' TERM; touch /tmp/up; while :; do usleep 10000; done`

func of(name string, isSo func(report.Message) bool) func(report.Message) bool {
	return func(m report.Message) bool { return m.Container == name && isSo(m) }
}

// A Job with a sidecar, as Istio's: the sidecar is up before the main, and ends after it; what it says of its end counts
// for nothing.
func TestSidecarOfAJob(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	sidecar := p.container("proxy", supervised(`trap 'echo drained; exit 143' TERM; usleep 300000; touch /tmp/ready /tmp/up; while :; do usleep 10000; done`,
		`,"restart":{"policy":"Always"},"endAfter":["main"],"startupProbe":{"exec":{"command":["test","-e","/tmp/ready"]},"periodSeconds":1,"failureThreshold":10}`))
	main := p.container("main", supervised(`echo main; exit 3`, `,"after":[{"container":"proxy","until":"started"}]`))
	m, s := main.start(), sidecar.start()
	if code := m.wait(); code != 3 || m.stdout.String() != "main\n" {
		t.Errorf("%d %q", code, &m.stdout)
	}
	if code := s.wait(); code != 0 || s.stdout.String() != "drained\n" {
		t.Errorf("%d %q", code, &s.stdout)
	}
	ready := p.await("the sidecar's start", of("proxy", func(m report.Message) bool { return m.State.Started }))
	begin := p.await("the main's start", of("main", func(m report.Message) bool { return m.State.Phase != report.Waiting }))
	if begin.State.StartedAt.Before(ready.State.StartedAt.Add(300 * time.Millisecond)) {
		t.Error(p.dump())
	}
	end := p.await("the sidecar's end", of("proxy", ended))
	if end.State.Ended.ExitCode != 143 || !end.State.Final {
		t.Error(p.dump())
	}
}

func TestInitContainersInTheFlat(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	always := func(orders string) string { return strings.Replace(orders, `"Never"`, `"Always"`, 1) }
	first := p.container("init-1", always(supervised(`usleep 300000; echo 1`, `,"once":true`)))
	second := p.container("init-2", always(supervised(`echo 2`, `,"once":true,"after":[{"container":"init-1","until":"succeeded"}]`)))
	main := p.container("main", always(supervised(forever, `,"after":[{"container":"init-1","until":"succeeded"},{"container":"init-2","until":"succeeded"}]`)))
	m, s, f := main.start(), second.start(), first.start()
	m.awaitFile("tmp/up")
	one := p.await("init-1", of("init-1", func(m report.Message) bool { return m.State.Phase == report.Parked }))
	two := p.await("init-2", of("init-2", func(m report.Message) bool { return m.State.Phase == report.Parked }))
	up := p.await("main", of("main", func(m report.Message) bool { return m.State.Phase == report.Running }))
	if !one.State.Final || two.State.StartedAt.Before(one.State.Ended.FinishedAt) || up.State.StartedAt.Before(two.State.Ended.FinishedAt) {
		t.Error(p.dump())
	}
	for _, r := range []*running{f, s} {
		r.signal(syscall.SIGTERM)
		if code := r.wait(); code != 0 {
			t.Error(code)
		}
	}
}

func TestInitThatFailsForGood(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	init := p.container("init", supervised(`exit 4`, `,"once":true`)).start()
	main := p.container("main", supervised(`echo never`, `,"after":[{"container":"init","until":"succeeded"}]`)).start()
	if code := init.wait(); code != 4 {
		t.Error(code)
	}
	if code := main.wait(); code != 125 || main.stdout.Len() > 0 {
		t.Errorf("%d %q", code, &main.stdout)
	}
	p.await("what waits for ever", of("main", func(m report.Message) bool {
		return m.State.Final && m.State.Ended == nil && m.State.Phase == report.Waiting && m.State.Waiting.Reason == "PodInitializing"
	}))
}

// A main whose whole container was killed wrote no last word.
func TestMainThatIsKilled(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	sidecar := p.container("proxy", supervised(forever, `,"restart":{"policy":"Always"},"endAfter":["main"]`)).start()
	main := p.container("main", supervised(forever, "")).start()
	sidecar.awaitFile("tmp/up")
	main.awaitFile("tmp/up")
	main.kill()
	if code := sidecar.wait(); code != 0 {
		t.Error(code)
	}
}

func TestSidecarIsStartedAgainWhileMainsRun(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	sidecar := p.container("proxy", supervised(`echo x >>/tmp/n; [ $(wc -l </tmp/n) = 1 ] && exit 1; `+forever, `,"restart":{"policy":"Always"},"endAfter":["main"]`)).start()
	main := p.container("main", supervised(`while [ ! -e /tmp/end ]; do usleep 10000; done`, "")).start()
	sidecar.awaitFile("tmp/up")
	main.write("tmp/end", "", 0o644)
	if code := main.wait(); code != 0 {
		t.Error(code)
	}
	if code := sidecar.wait(); code != 0 {
		t.Error(code)
	}
	p.await("a restart", of("proxy", func(m report.Message) bool { return m.State.Restarts == 1 && m.State.Phase == report.Running }))
}

func TestSidecarIsDrainedAfterItsMain(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	sidecar := p.container("proxy", supervised(`trap 'echo $(date +%s%N) end >>/tmp/order; exit 0' TERM; touch /tmp/up; while :; do usleep 10000; done`,
		`,"restart":{"policy":"Always"},"endAfter":["main"],"preStop":{"exec":{"command":["touch","/tmp/hooked"]}}`)).start()
	main := p.container("main", supervised(`trap 'usleep 700000; exit 0' TERM; touch /tmp/up; while :; do usleep 10000; done`, "")).start()
	sidecar.awaitFile("tmp/up")
	main.awaitFile("tmp/up")
	for _, r := range []*running{sidecar, main} {
		if output, err := r.enter("{\"graceSeconds\":20}\n", "/.sk/d"); err != nil {
			t.Fatal(output, err)
		}
	}
	sidecar.awaitFile("tmp/hooked")
	if code := main.wait(); code != 0 {
		t.Error(code)
	}
	if code := sidecar.wait(); code != 0 {
		t.Error(code)
	}
	mainEnd := p.await("main", of("main", ended)).State.Ended
	if end := p.await("proxy", of("proxy", ended)).State.Ended; end.FinishedAt.Before(mainEnd.FinishedAt) {
		t.Error(p.dump())
	}
}

func TestDrainBeforeTheStart(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	r := p.container("main", supervised(`echo never`, `,"after":[{"container":"proxy","until":"started"}]`)).start()
	p.await("waiting", func(m report.Message) bool { return m.State.Phase == report.Waiting })
	if output, err := r.enter("{}\n", "/.sk/d"); err != nil {
		t.Fatal(output, err)
	}
	if code := r.wait(); code != 125 || r.stdout.Len() > 0 {
		t.Errorf("%d %q", code, &r.stdout)
	}
}
