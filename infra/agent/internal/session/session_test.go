package session

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"serverless-kubelet.local/agent/internal/frames"
	"serverless-kubelet.local/agent/internal/statedir"
)

func request(members string) string { return `{"nonce":"n1",` + members + `}` }

func shell(script string) string {
	return fmt.Sprintf(`"argv":["sh","-c",%q]`, script)
}

func TestCommand(t *testing.T) {
	t.Parallel()
	for _, isTerminal := range []bool{false, true} {
		c := dial(t, "exec", isTerminal)
		c.begin(request(shell("echo out; echo err >&2; echo $A $B; env | grep -c ^a.b=; [ -t 0 ] || echo no terminal; exit 42") + `,"env":{"B":"c d"}`))
		out, err, last := c.rest()
		// dash leaves names with a dot out.
		if !strings.HasPrefix(out, "out\nb c d\n") || !strings.HasSuffix(out, "no terminal\n") || err != "err\n" || last != `X{"exitCode":42}` {
			t.Errorf("%v: %q %q %q", isTerminal, out, err, last)
		}
		if !c.exited(30 * time.Second) {
			t.Error("it hangs")
		}
	}
}

func TestWordsAsTheyAre(t *testing.T) {
	t.Parallel()
	c := dial(t, "exec", true)
	c.begin(request(`"argv":["printf","%s|","a b","","\"q\"","$HOME","ü\n","x"],"env":{}`))
	if out, _, last := c.rest(); out != "a b||\"q\"|$HOME|ü\n|x|" || last != `X{"exitCode":0}` {
		t.Errorf("%q %q", out, last)
	}
}

func TestEnd(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{
		"kill -TERM $$":                     `X{"exitCode":143,"signal":15}`,
		"kill -KILL $$":                     `X{"exitCode":137,"signal":9}`,
		"sleep 100 & exit 3":                `X{"exitCode":3}`,
		"exec 1>&- 2>&-; sleep 0.2; exit 5": `X{"exitCode":5}`,
	} {
		c := dial(t, "exec", true)
		c.begin(request(shell(script)))
		begin := time.Now()
		if _, _, last := c.rest(); last != want || time.Since(begin) > 20*time.Second {
			t.Errorf("%s: %q after %v", script, last, time.Since(begin))
		}
	}
}

func TestWhatDoesNotStart(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		request(`"argv":["nope"]`):      `F{"message":"exec: \"nope\": executable file not found in $PATH","reason":"StartError"}`,
		request(`"argv":[]`):            `F{"message":"argv is empty","reason":"BadRequest"}`,
		request(`"attach":true`):        `F{"message":"no agent stays in this container","reason":"NotRunning"}`,
		`nonsense`:                      `"reason":"BadRequest"`,
		`{"argv":"sh"}`:                 `"reason":"BadRequest"`,
		strings.Repeat("x", maxLine+10): `"reason":"BadRequest"`,
	} {
		c := dial(t, "exec", false)
		c.greeted()
		c.say(line)
		if tag, payload := c.next(); !strings.Contains(string(rune(tag))+payload, want) {
			t.Errorf("%.40q: %c %s", line, tag, payload)
		}
		if !c.exited(30 * time.Second) {
			t.Errorf("%.40q: it hangs", line)
		}
	}
}

// A line that comes before the terminal is raw is read as well.
func TestLineBeforeTheHello(t *testing.T) {
	t.Parallel()
	c := dial(t, "exec", true)
	c.say(request(shell("echo early")))
	c.greeted()
	if tag, payload := c.next(); tag != frames.Begun {
		t.Fatalf("%c %s", tag, payload)
	}
	if out, _, last := c.rest(); out != "early\n" || last != `X{"exitCode":0}` {
		t.Errorf("%q %q", out, last)
	}
}

func TestInput(t *testing.T) {
	t.Parallel()
	c := dial(t, "exec", true)
	c.begin(request(shell("cat; echo end") + `,"stdin":true`))
	c.write(frames.Input, "one\r\n\x03\x04\x00\xff")
	c.write(frames.Input, "")
	c.write(frames.Input, "two")
	c.write(frames.EndInput, "")
	if out, _, last := c.rest(); out != "one\r\n\x03\x04\x00\xfftwoend\n" || last != `X{"exitCode":0}` {
		t.Errorf("%q %q", out, last)
	}
	// Without it a command finds its end at once.
	c = dial(t, "exec", false)
	c.begin(request(shell("cat; echo end")))
	if out, _, _ := c.rest(); out != "end\n" {
		t.Errorf("%q", out)
	}
}

// pump sends data in pieces of at most 50 bytes, as little as ACI is known to take, against credit.
func (c *client) pump(data []byte) {
	var framed bytes.Buffer
	credit := window
	writer := frames.NewWriter(&framed)
	for len(data) > 0 {
		n := min(len(data), credit, 10_000)
		if err := writer.Write(frames.Input, data[:n]); err != nil {
			c.t.Error(err)
			return
		}
		data, credit = data[n:], credit-n
		for framed.Len() > 0 {
			if _, err := c.to.Write(framed.Next(50)); err != nil {
				c.t.Error(err)
				return
			}
		}
		for credit == 0 {
			tag, payload, err := c.Reader.Next()
			if err != nil || tag != frames.Credit {
				c.t.Errorf("%c %v", tag, err)
				return
			}
			credit += int(binary.BigEndian.Uint32(payload))
		}
	}
	_ = writer.Write(frames.EndInput, nil)
	if _, err := c.to.Write(framed.Bytes()); err != nil {
		c.t.Error(err)
	}
}

func TestManyBytesBothWays(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes seconds")
	}
	data := make([]byte, 5<<20)
	if _, err := rand.New(rand.NewSource(1)).Read(data); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	c := dial(t, "exec", true)
	c.begin(request(shell("sha256sum") + `,"stdin":true`))
	c.pump(data)
	if out, _, _ := c.rest(); out != hex.EncodeToString(sum[:])+"  -\n" {
		t.Errorf("%q", out)
	}
	file := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	c = dial(t, "exec", true)
	c.begin(request(`"argv":["cat","` + file + `"]`))
	if out, _, last := c.rest(); out != string(data) || last != `X{"exitCode":0}` {
		t.Errorf("%d bytes, %q", len(out), last)
	}
}

func TestCommandThatReadsNothing(t *testing.T) {
	t.Parallel()
	c := dial(t, "exec", true)
	c.begin(request(shell("trap 'echo got; exit 4' USR1; echo up; while :; do sleep 0.01; done") + `,"stdin":true`))
	if tag, payload := c.next(); payload != "up\n" {
		t.Fatalf("%c %q", tag, payload)
	}
	piece := strings.Repeat("x", 16<<10)
	for range window / len(piece) {
		c.write(frames.Input, piece)
	}
	// What is no input still passes.
	c.write(frames.Presence, "")
	if tag, _ := c.next(); tag != frames.Presence {
		t.Errorf("%c", tag)
	}
	c.write(frames.Signal, "SIGUSR1")
	if out, _, last := c.rest(); out != "got\n" || last != `X{"exitCode":4}` {
		t.Errorf("%q %q", out, last)
	}
}

func TestTooMuchInput(t *testing.T) {
	t.Parallel()
	c := dial(t, "exec", true)
	c.begin(request(shell("sleep 100") + `,"stdin":true`))
	// A pipe takes some itself.
	go func() {
		piece := bytes.Repeat([]byte("x"), frames.MaxPayload)
		for range 10 {
			if c.Writer.Write(frames.Input, piece) != nil {
				return
			}
		}
	}()
	if _, _, last := c.rest(); !strings.Contains(last, `"reason":"TooMuchInput"`) {
		t.Errorf("%q", last)
	}
	if !c.exited(30 * time.Second) {
		t.Error("it hangs")
	}
}

func TestTerminal(t *testing.T) {
	t.Parallel()
	c := dial(t, "exec", true)
	c.begin(request(shell("tty; stty size; read line; stty size; echo err >&2; echo $line") + `,"tty":true,"stdin":true,"rows":33,"cols":77`))
	var out string
	for !strings.Contains(out, "33 77\r\n") {
		tag, payload := c.next()
		if tag != frames.Output {
			t.Fatalf("%c %q after %q", tag, payload, out)
		}
		out += payload
	}
	c.write(frames.Window, "\x00\x0a\x00\x14")
	c.write(frames.Input, "typed\r")
	more, err, last := c.rest()
	out += more
	if !strings.HasPrefix(out, "/dev/pts/") || !strings.Contains(out, "typed\r\n10 20\r\nerr\r\ntyped\r\n") || err != "" || last != `X{"exitCode":0}` {
		t.Errorf("%q %q %q", out, err, last)
	}
}

func TestInterruptByTerminal(t *testing.T) {
	t.Parallel()
	c := dial(t, "exec", true)
	c.begin(request(shell("trap 'echo int; exit 9' INT; echo up; while :; do sleep 0.01; done") + `,"tty":true`))
	if _, payload := c.next(); payload != "up\r\n" {
		t.Fatalf("%q", payload)
	}
	c.write(frames.Input, "\x03")
	if out, _, last := c.rest(); out != "^Cint\r\n" || last != `X{"exitCode":9}` {
		t.Errorf("%q %q", out, last)
	}
}

// A command may open /dev/tty: it finds none, and not the terminal that carries the frames.
func TestNoTerminalOfTheFrames(t *testing.T) {
	t.Parallel()
	c := dial(t, "exec", true)
	c.begin(request(shell("echo x 2>&1 >/dev/tty || echo none; exit 0")))
	if out, err, last := c.rest(); !strings.HasSuffix(out+err, "none\n") || last != `X{"exitCode":0}` {
		t.Errorf("%q %q %q", out, err, last)
	}
}

func TestLogBefore(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	nothing := dialWith(t, "exec", false, ordersWithState(state))
	nothing.greeted()
	nothing.say(request(`"logBefore":true`))
	if tag, payload := nothing.next(); tag != frames.Fault || !strings.Contains(payload, notKept) {
		t.Errorf("%c %q", tag, payload)
	}
	own, _, err := statedir.Open(state, "web")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Repeat("a line of the run before\n", 4000)
	fmt.Fprint(own.BeginLog().Stream(), lines)
	own.BeginLog()
	c := dialWith(t, "exec", true, ordersWithState(state))
	c.begin(request(`"logBefore":true`))
	out, _, last := c.rest()
	if strings.Count(out, "Z a line of the run before\n") != 4000 || last != `X{"exitCode":0}` {
		t.Errorf("%d bytes, %q", len(out), last)
	}
}
