package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"serverless-kubelet.local/agent/internal/report"
)

// Whatever the image is: the program behaves the same, but for what was asked.

const waiting = `"supervise":{"restartPolicy":"Never","graceSeconds":5,"termination":{"path":"/dev/termination-log","policy":"File"},
	"readinessProbe":{"exec":{"command":["/program","true"]}},"preStop":{"exec":{"command":["/program","true"]}}}`

// distroless has one static program, and neither accounts nor a shell nor a folder for anything.
func (p *pod) distroless(name, orders string) *container {
	p.t.Helper()
	c := p.container(name, orders)
	for _, dir := range []string{"bin", "etc", "tmp", "vol"} {
		c.must(os.RemoveAll(c.at(dir)))
	}
	// busybox does as the name that it is called by says, and any other is the first word.
	c.write("program", string(read(p.t, busybox(p.t))), 0o755)
	c.must(os.Symlink("program", c.at("busybox")))
	return c
}

func TestDistroless(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	for _, mode := range []string{`"mode":"exec"`, `"mode":"supervise","supervise":{"restartPolicy":"Never","graceSeconds":5}`} {
		c := p.distroless("app", mode+`,"program":{"argv":["/busybox","sh","-c","echo $HOME; exit 7"],"user":{"uid":1234},"setHome":true}`)
		if r := c.start(); r.wait() != 7 || r.stdout.String() != "/\n" || r.stderr.Len() > 0 {
			t.Errorf("%s: %q %q %s", mode, &r.stdout, &r.stderr, p.dump())
		}
	}
	c := p.distroless("web", `"mode":"supervise","program":{"argv":["/busybox","sleep","100"]},`+strings.ReplaceAll(waiting, "/program", "/busybox"))
	r := c.start()
	p.await("ready", of("web", func(m report.Message) bool { return m.State.Ready }))
	if output, err := r.enter("{}\n", "/.sk/d"); err != nil {
		t.Fatal(output, err)
	}
	if code := r.wait(); code != 143 {
		t.Errorf("%d %s", code, p.dump())
	}
}

func TestImageOfAUserThatIsNotRoot(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	c := p.container("web", supervised(`id -u; trap '{ printf bye >/dev/termination-log; } 2>/dev/null; exit 5' TERM; touch /tmp/up; while :; do usleep 10000; done`,
		`,"termination":{"path":"/dev/termination-log","policy":"File"},"readinessProbe":{"exec":{"command":["id","-u"]}},"preStop":{"exec":{"command":["touch","/tmp/hooked"]}}`))
	c.must(chown(c.at(".sk-orders/orders"), 1001))
	r := c.startAs([]string{"--userspec=1001:1001"})
	p.await("ready", func(m report.Message) bool { return m.State.Ready })
	if output, err := r.enter("{}\n", "/.sk/d"); err != nil {
		t.Fatal(output, err)
	}
	if code := r.wait(); code != 5 || r.stdout.String() != "1001\n" || r.stderr.Len() > 0 {
		t.Errorf("%d %q %q", code, &r.stdout, &r.stderr)
	}
	c.read("tmp/hooked")
	// The default path of the message is nobody's wish.
	if p.events() != "" {
		t.Error(p.events())
	}
}

func TestReadOnlyRoot(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	c := p.container("web", supervised(`touch /x 2>&1; trap 'printf bye >/dev/termination-log; exit 5' TERM; while :; do usleep 10000; done`,
		`,"termination":{"path":"/dev/termination-log","policy":"File"},"readinessProbe":{"exec":{"command":["true"]}}`))
	c.readOnly = true
	r := c.start()
	p.await("ready", func(m report.Message) bool { return m.State.Ready })
	if output, err := r.enter("{}\n", "/.sk/d"); err != nil {
		t.Fatal(output, err)
	}
	if code := r.wait(); code != 5 || r.stdout.String() != "touch: /x: Read-only file system\n" {
		t.Errorf("%d %q %q", code, &r.stdout, &r.stderr)
	}
	if m := p.await("the end", ended); m.State.Ended.Message != "bye" {
		t.Error(p.dump())
	}
	// What can't be had there is said by name, before the program starts.
	c = p.container("sub", `"mode":"exec","program":{"argv":["echo","never"]},"subPaths":[{"name":"v","volume":"/vol","path":"a","mountPath":"/etc/a"}]`)
	c.readOnly = true
	c.must(os.Mkdir(c.at("vol/a"), 0o755))
	if r := c.start(); r.wait() != 125 || r.stdout.Len() > 0 {
		t.Errorf("%q", &r.stdout)
	}
	p.await("why", of("sub", func(m report.Message) bool {
		return ended(m) && strings.Contains(m.State.Ended.Message, "read-only") && m.State.Ended.Reason == "CreateContainerConfigError"
	}))
}

// An init that insists on being process 1, as s6 and systemd do, runs in exec mode.
func TestProgramThatHasToBeTheFirst(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	insists := `"program":{"argv":["sh","-c","[ $$ = 1 ] && echo first || { echo not the first >&2; exit 100; }"]}`
	if r := p.container("s6", `"mode":"exec",`+insists).start(); r.wait() != 0 || r.stdout.String() != "first\n" {
		t.Errorf("%q %q", &r.stdout, &r.stderr)
	}
	r := p.container("s6", `"mode":"supervise",`+insists+`,"supervise":{"restartPolicy":"Never","graceSeconds":1}`).start()
	if code := r.wait(); code != 100 {
		t.Error(code)
	}
}

// The agent's container has no folder of the group to write to: it says so, and runs its program.
func TestNoStateDirectory(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	if err := os.WriteFile(filepath.Join(p.state, "c"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if r := p.container("web", supervised(`exit 3`, "")).start(); r.wait() != 3 {
		t.Error(p.dump())
	}
	if p.await("the end", ended); !strings.Contains(p.events(), "AgentStateLost: other containers of the pod can't see this one") {
		t.Error(p.events())
	}
}

func TestManyProcessesEndWithTheirContainer(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	r := p.container("web", supervised(`for i in $(echo 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20); do (trap '' TERM HUP; sleep 1000 & sleep 1000) & done; usleep 300000; exit 0`, "")).start()
	begin := time.Now()
	if code := r.wait(); code != 0 || time.Since(begin) > 30*time.Second {
		t.Error(code, time.Since(begin))
	}
}

// A drain that comes while the last report of an end is waited for keeps ACI from starting the container again.
func TestDrainAfterTheEnd(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	p.down = true
	c := p.container("web", strings.Replace(supervised(`exit 3`, ""), `"Never"`, `"Always"`, 1))
	r := c.start()
	time.Sleep(500 * time.Millisecond)
	if output, err := r.enter("{}\n", "/.sk/d"); err != nil {
		t.Fatal(output, err)
	}
	p.mu.Lock()
	p.down = false
	p.mu.Unlock()
	m := p.await("parked", func(m report.Message) bool { return m.State.Phase == report.Parked })
	if m.State.Ended.ExitCode != 3 || !m.State.Final || m.State.LastEnded != nil {
		t.Error(p.dump())
	}
}

func TestVariablesOfGoAreTheProgramsAlone(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	c := p.container("go", `"mode":"supervise","program":{"argv":["env"],"env":[{"name":"GODEBUG","value":"gctrace=1,schedtrace=1"},{"name":"GOMEMLIMIT","value":"1"}]},
		"supervise":{"restartPolicy":"Never","graceSeconds":1,"postStart":{"sleep":{"seconds":0}}}`)
	r := c.start()
	if code := r.wait(); code != 0 || !strings.Contains(r.stdout.String(), "GODEBUG=gctrace=1,schedtrace=1\nGOMEMLIMIT=1\n") || r.stderr.Len() > 0 {
		t.Errorf("%q %q", &r.stdout, &r.stderr)
	}
}

// As a plain process among others: where there is no engine of containers. Nothing but its own is ended with it.
func TestPlainProcess(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	c := p.container("web", `"stateDir":"`+p.state+`",`+supervised(`(sleep 1007 &) ; sh -c 'sleep 1007 & exit 0'; echo out; exit 4`, ""))
	bystander := exec.Command("sleep", "1008")
	c.must(bystander.Start())
	r := exec.Command(program, "run", c.at(".sk-orders/orders"))
	output, _ := r.CombinedOutput()
	if r.ProcessState.ExitCode() != 4 || string(output) != "out\n" {
		t.Errorf("%v %q", r.ProcessState, output)
	}
	p.await("the end", ended)
	if left, err := exec.Command("pgrep", "-fx", "sleep 1007").Output(); err == nil {
		t.Errorf("left: %s", left)
	}
	c.must(bystander.Process.Kill())
	if err := bystander.Wait(); err == nil || bystander.ProcessState.String() != "signal: killed" {
		t.Errorf("%v", bystander.ProcessState)
	}
}
