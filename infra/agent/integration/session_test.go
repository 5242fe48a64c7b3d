package integration

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"serverless-kubelet.local/agent/internal/frames"
	"serverless-kubelet.local/agent/internal/report"
)

// caller is one at the other end of ARM's exec.
type caller struct {
	t    *testing.T
	in   io.WriteCloser
	from *bufio.Reader
	*frames.Writer
	*frames.Reader
	command *exec.Cmd
}

func (r *running) call(word, line string) *caller {
	t := r.pod.t
	t.Helper()
	c := &caller{t: t}
	c.command = exec.Command("nsenter", "-t", fmt.Sprint(r.first()), "-p", "-m", "-r", "-w", "/.sk/"+word)
	c.command.Env = environment("PATH=/bin")
	var err error
	if c.in, err = c.command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.command.Process.Kill(); _ = c.command.Wait() })
	c.from = bufio.NewReader(out)
	if hello, err := c.from.ReadString('\n'); err != nil || !strings.HasPrefix(hello, "SK1 ") {
		t.Fatalf("%q %v", hello, err)
	}
	c.Writer, c.Reader = frames.NewWriter(c.in), frames.NewReader(c.from)
	if _, err := io.WriteString(c.in, line+"\n"); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *caller) write(tag byte, payload string) {
	c.t.Helper()
	if err := c.Writer.Write(tag, []byte(payload)); err != nil {
		c.t.Fatal(err)
	}
}

// until reads output until it contains the text, or until the last frame, which comes back.
func (c *caller) until(text string) (output, last string) {
	c.t.Helper()
	for {
		tag, payload, err := c.Reader.Next()
		switch {
		case err != nil:
			c.t.Fatal(err, output)
		case tag == frames.Output || tag == frames.Error:
			output += string(payload)
			if text != "" && strings.Contains(output, text) {
				return output, ""
			}
		case tag == frames.Exit || tag == frames.Fault:
			return output, string(payload)
		}
	}
}

func TestExecIsAsTheProgramIs(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	r := p.container("web", `"mode":"supervise","program":{"argv":["sh","-c","touch /tmp/up; while :; do usleep 10000; done"],
		"env":[{"name":"IP","field":"status.podIP"}],"workingDir":"/tmp","user":{"uid":1000,"groups":[2000]},"setHome":true,"noNewPrivileges":true,"capabilities":{"drop":["ALL"]}},
		"supervise":{"restartPolicy":"Always","graceSeconds":1}`).start()
	r.awaitFile("tmp/up")
	c := r.call("x", `{"nonce":"n","argv":["sh","-c","id -u; id -G; pwd; echo $HOME; [ -n \"$IP\" ] && echo ip; grep -e CapBnd -e NoNewPrivs /proc/self/status; cat /.sk-orders/orders; exit 42"]}`)
	output, last := c.until("")
	if !strings.Contains(output, "1000\n1001 4 2000\n/tmp\n/srv/web\nip\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\n") ||
		!strings.Contains(output, "/.sk-orders/orders': Permission denied\n") || last != `{"exitCode":42}` {
		t.Errorf("%q %q", output, last)
	}
}

func TestExecAfterTheProgramHasEnded(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	r := p.container("web", strings.Replace(supervised(forever, ""), `"Never"`, `"Always"`, 1)).start()
	r.awaitFile("tmp/up")
	c := r.call("x", `{"nonce":"n","argv":["sh","-c","echo up; exec sleep 1000"]}`)
	c.until("up\n")
	if output, err := r.enter("{}\n", "/.sk/d"); err != nil {
		t.Fatal(output, err)
	}
	// The end of the program is that of all in the container.
	p.await("parked", func(m report.Message) bool { return m.State.Phase == report.Parked })
	if _, _, err := c.Reader.Next(); err == nil {
		t.Error("the command lives on")
	}
}

func TestForward(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	r := p.container("web", supervised(`mkdir /www; echo hello >/www/index.html; touch /tmp/up; exec httpd -f -p 127.0.0.1:38081 -h /www`, "")).start()
	r.awaitFile("tmp/up")
	time.Sleep(200 * time.Millisecond)
	c := r.call("f", `{"nonce":"n","keepAliveSeconds":30}`)
	id := string([]byte{0, 0, 0, 5})
	c.write(frames.Open, id+string(binary.BigEndian.AppendUint16(nil, 38081)))
	c.write(frames.Data, id+"GET / HTTP/1.0\r\n\r\n")
	var got string
	for {
		tag, payload, err := c.Reader.Next()
		if err != nil {
			t.Fatal(err)
		}
		if tag == frames.Data {
			got += string(payload[4:])
		}
		if tag == frames.EndInput {
			break
		}
	}
	if !strings.HasSuffix(got, "\r\n\r\nhello\n") {
		t.Errorf("%q", got)
	}
}

func TestCopyBothWays(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	r := p.container("web", supervised(forever, "")).start()
	r.awaitFile("tmp/up")
	data := make([]byte, 3<<20)
	if _, err := rand.Read(data); err != nil {
		t.Fatal(err)
	}
	c := r.call("x", `{"nonce":"n","argv":["sh","-c","cat >/tmp/copy"],"stdin":true}`)
	go func() {
		credit := 64 << 10
		for rest := data; len(rest) > 0; {
			n := min(len(rest), credit, 30_000)
			if c.Writer.Write(frames.Input, rest[:n]) != nil {
				return
			}
			rest, credit = rest[n:], credit-n
			for credit < 30_000 && len(rest) > 0 {
				tag, payload, err := c.Reader.Next()
				if err != nil || tag != frames.Credit {
					if tag != frames.Begun {
						return
					}
					continue
				}
				credit += int(binary.BigEndian.Uint32(payload))
			}
		}
		_ = c.Writer.Write(frames.EndInput, nil)
	}()
	if err := c.command.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := read(t, r.at("tmp/copy")); !bytes.Equal(got, data) {
		t.Errorf("%d bytes", len(got))
	}
	back, _ := r.call("x", `{"nonce":"n","argv":["cat","/tmp/copy"]}`).until("")
	if back != string(data) {
		t.Errorf("%d bytes came back", len(back))
	}
}

// A program that reads a file by its path sees the new version, and never half of it; the container goes on.
func TestLiveVolume(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"supervise", "exec"} {
		p := newPod(t)
		p.files = `{"volumes":[{"name":"conf","revision":"2","files":[{"path":"ready","mode":420,"data":"UkVBRFk="}]}]}`
		orders := supervised(`touch /tmp/up; until [ -s /vol/ready ]; do usleep 10000; done; cat /vol/ready; until [ -e /tmp/end ]; do usleep 10000; done`, "")
		if mode == "exec" {
			orders = `"mode":"exec",` + shell(`touch /tmp/up; until [ -s /vol/ready ]; do usleep 10000; done; cat /vol/ready; until [ -e /tmp/end ]; do usleep 10000; done`)
		}
		c := p.container("step", orders+`,"live":[{"name":"conf","path":"/vol"}]`)
		r := c.start()
		r.awaitFile("tmp/up")
		if output, err := r.enter("", "/.sk/r"); err != nil || !strings.HasPrefix(output, `{"ok":true`) {
			t.Errorf("%q, %v", output, err)
		}
		c.write("tmp/end", "", 0o644)
		if code := r.wait(); code != 0 || r.stdout.String() != "READY" {
			t.Errorf("%d %q", code, &r.stdout)
		}
		if mode == "supervise" {
			p.await("the revision", func(m report.Message) bool { return m.State.Volumes["conf"] == "2" })
		}
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	p := newPod(t)
	p.down = true
	r := p.container("web", supervised(forever, "")).start()
	r.awaitFile("tmp/up")
	time.Sleep(300 * time.Millisecond)
	output, err := r.enter("", "/.sk/s")
	if err != nil || !strings.Contains(output, `"lastFault":"the app answered 503 Service Unavailable"`) || !strings.Contains(output, `"phase":"running"`) {
		t.Errorf("%q, %v", output, err)
	}
}
