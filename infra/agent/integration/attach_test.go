package integration

import (
	"io"
	"strings"
	"testing"
	"time"

	"serverless-kubelet.local/agent/internal/frames"
	"serverless-kubelet.local/agent/internal/report"
	"serverless-kubelet.local/agent/internal/session"
)

// As a runner of GitLab's does: a shell whose input is attached, and whose output comes back on two streams.
func TestAttach(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	c := p.container("build", `"mode":"supervise","program":{"argv":["sh"],"stdin":true,"stdinOnce":true},"supervise":{"restartPolicy":"Never","graceSeconds":1}`)
	r := c.start()
	p.await("running", func(m report.Message) bool { return m.State.Phase == report.Running })
	a := r.call("x", `{"nonce":"n","attach":true,"stdin":true}`)
	a.write(frames.Input, "echo out; echo err >&2\n")
	a.until("out\n")
	a.write(frames.Input, "sleep 0.2; exit 6\n")
	a.write(frames.EndInput, "")
	if _, last := a.until(""); last != `{"exitCode":6}` {
		t.Errorf("%q", last)
	}
	if code := r.wait(); code != 6 || r.stdout.String() != "out\n" || r.stderr.String() != "err\n" {
		t.Errorf("%d %q %q", code, &r.stdout, &r.stderr)
	}
}

func TestAttachOfMany(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	r := p.container("web", `"mode":"supervise","program":{"argv":["sh","-c","while read line; do echo got $line; done; echo over"],"stdin":true},"supervise":{"restartPolicy":"Never","graceSeconds":1}`).start()
	p.await("running", func(m report.Message) bool { return m.State.Phase == report.Running })
	first, second := r.call("x", `{"nonce":"n","attach":true,"stdin":true}`), r.call("x", `{"nonce":"n","attach":true}`)
	time.Sleep(200 * time.Millisecond)
	first.write(frames.Input, "one\n")
	first.until("got one\n")
	second.until("got one\n")
	// Who only watches writes nothing, and who goes takes nothing with them.
	second.write(frames.Input, "ignored\n")
	first.write(frames.EndInput, "")
	first.in.Close()
	third := r.call("x", `{"nonce":"n","attach":true,"stdin":true}`)
	time.Sleep(200 * time.Millisecond)
	third.write(frames.Input, "two\n")
	if output, _ := second.until("got two\n"); output != "got two\n" {
		t.Errorf("%q", output)
	}
	if r.kill(); r.stdout.String() != "got one\ngot two\n" {
		t.Errorf("%q", &r.stdout)
	}
}

func TestAttachedTerminal(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	r := p.container("web", `"mode":"supervise","program":{"argv":["sh","-c","tty; read line; stty size; exit 3"],"stdin":true,"tty":true,"user":{"uid":1000}},"supervise":{"restartPolicy":"Never","graceSeconds":1}`).start()
	p.await("running", func(m report.Message) bool { return m.State.Phase == report.Running })
	a := r.call("x", `{"nonce":"n","attach":true,"stdin":true,"tty":true,"rows":10,"cols":20}`)
	time.Sleep(200 * time.Millisecond)
	a.write(frames.Window, "\x00\x21\x00\x4d")
	a.write(frames.Input, "go\r")
	output, last := a.until("")
	if !strings.HasSuffix(output, "go\r\n33 77\r\n") || last != `{"exitCode":3}` {
		t.Errorf("%q %q", output, last)
	}
	if code := r.wait(); code != 3 || !strings.HasPrefix(r.stdout.String(), "/dev/pts/") {
		t.Errorf("%d %q", code, &r.stdout)
	}
}

func TestAttachWhereThereIsNothing(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	r := p.container("web", supervised(forever, "")).start()
	r.awaitFile("tmp/up")
	if _, last := r.call("x", `{"nonce":"n","attach":true}`).until(""); !strings.Contains(last, "neither stdin nor a terminal") {
		t.Error(last)
	}
	for line, want := range map[string]string{`{"nonce":"n","argv":["nope"]}`: "executable file not found in $PATH", `{`: "BadRequest"} {
		if _, last := r.call("x", line).until(""); !strings.Contains(last, want) {
			t.Errorf("%s: %s", line, last)
		}
	}
}

// A container that has a terminal gives it to its program, in the foreground.
func TestContainerWithATerminal(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	pty, err := session.NewPty(-1)
	if err != nil {
		t.Fatal(err)
	}
	c := p.container("web", `"mode":"supervise","program":{"argv":["sh","-c","read line; echo got $line; exit 2"],"stdin":true,"tty":true},"supervise":{"restartPolicy":"Never","graceSeconds":1}`)
	c.terminal = pty.Terminal
	r := c.start()
	p.await("running", func(m report.Message) bool { return m.State.Phase == report.Running })
	if _, err := io.WriteString(pty.Master, "hello\r"); err != nil {
		t.Fatal(err)
	}
	if code := r.wait(); code != 2 {
		t.Error(code)
	}
	pty.Terminal.Close()
	if output, _ := io.ReadAll(pty.Master); string(output) != "hello\r\ngot hello\r\n" {
		t.Errorf("%q", output)
	}
}
