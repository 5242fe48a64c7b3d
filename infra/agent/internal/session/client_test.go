package session

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"serverless-kubelet.local/agent/internal/frames"
	"serverless-kubelet.local/agent/internal/launch"
)

func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 2 && os.Args[1] == launch.ChildCommand:
		os.Exit(launch.Child())
	case len(os.Args) == 3 && os.Args[1] == "exec":
		os.Exit(Exec(os.Args[2], os.Stdin, os.Stdout))
	case len(os.Args) == 3 && os.Args[1] == "forward":
		os.Exit(Forward(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

const plainOrders = `{"schemaVersion":1,"kind":"container","pod":{"namespace":"n","name":"p","uid":"u"},"nonce":"x","container":"web",
"mode":"exec","program":{"argv":["never"],"env":[{"name":"a.b","value":"dotted"}]}}`

// client is the caller's side of a terminal.
type client struct {
	t       *testing.T
	command *exec.Cmd
	to      io.WriteCloser
	from    *bufio.Reader
	*frames.Writer
	*frames.Reader
	done chan struct{}
}

// dial starts a session over pipes, or over a terminal as ACI's: one whose caller has the other end.
func dial(t *testing.T, word string, isTerminal bool) *client {
	t.Helper()
	return dialWith(t, word, isTerminal, plainOrders)
}

// ordersWithState are those of a container whose group has its shared folder elsewhere.
func ordersWithState(folder string) string {
	return strings.Replace(plainOrders, `"container":"web"`, fmt.Sprintf(`"stateDir":%q,"container":"web"`, folder), 1)
}

func dialWith(t *testing.T, word string, isTerminal bool, orders string) *client {
	t.Helper()
	file := filepath.Join(t.TempDir(), "orders")
	if err := os.WriteFile(file, []byte(orders), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, command: exec.Command("/proc/self/exe", word, file), done: make(chan struct{})}
	c.command.Env = []string{"PATH=/usr/bin:/bin", "A=b"}
	if isTerminal {
		pty, err := NewPty(-1)
		if err != nil {
			t.Skip(err)
		}
		c.command.Stdin, c.command.Stdout, c.command.Stderr = pty.Terminal, pty.Terminal, pty.Terminal
		c.command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
		c.to, c.from = pty.Master, bufio.NewReader(pty.Master)
		defer pty.Terminal.Close()
	} else {
		in, err := c.command.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := c.command.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		c.to, c.from = in, bufio.NewReader(out)
	}
	if err := c.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.command.Process.Kill()
		c.to.Close()
	})
	return c
}

// greeted reads the hello, with whatever a terminal has echoed before it.
func (c *client) greeted() {
	c.t.Helper()
	line, err := c.from.ReadString('\n')
	for err == nil && !strings.Contains(line, "SK1 ") {
		line, err = c.from.ReadString('\n')
	}
	_, hello, _ := strings.Cut(line, "SK1 ")
	var greeting struct{ Version, Window int }
	if err != nil || json.Unmarshal([]byte(hello), &greeting) != nil || greeting.Version != version || greeting.Window != window {
		c.t.Fatalf("%q, %v", line, err)
	}
	c.Writer, c.Reader = frames.NewWriter(c.to), frames.NewReader(c.from)
}

// say sends a line; one that nobody reads to its end shows in what comes back.
func (c *client) say(line string) {
	_, _ = io.WriteString(c.to, line+"\n")
}

func (c *client) write(tag byte, payload string) {
	c.t.Helper()
	if err := c.Writer.Write(tag, []byte(payload)); err != nil {
		c.t.Fatal(err)
	}
}

// next is the next frame but credit, as tag and text.
func (c *client) next() (byte, string) {
	c.t.Helper()
	for {
		tag, payload, err := c.Reader.Next()
		if err != nil {
			return 0, err.Error()
		}
		if tag != frames.Credit {
			return tag, string(payload)
		}
	}
}

func (c *client) begin(request string) {
	c.t.Helper()
	c.greeted()
	c.say(request)
	if tag, payload := c.next(); tag != frames.Begun || !strings.Contains(payload, `"nonce":"n1"`) {
		c.t.Fatalf("%c %s", tag, payload)
	}
}

// rest is all output, by tag, and the last frame.
func (c *client) rest() (out, err, last string) {
	c.t.Helper()
	for {
		tag, payload := c.next()
		switch tag {
		case frames.Output:
			out += payload
		case frames.Error:
			err += payload
		default:
			return out, err, string(rune(tag)) + payload
		}
	}
}

// exited is that the session is over.
func (c *client) exited(within time.Duration) bool {
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = c.command.Wait()
	}()
	select {
	case <-over:
		return true
	case <-time.After(within):
		return false
	}
}

func number(id uint32) string { return string(binary.BigEndian.AppendUint32(nil, id)) }
