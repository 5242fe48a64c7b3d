package session

import (
	"fmt"
	"io"
	"math/rand"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"serverless-kubelet.local/agent/internal/frames"
)

// processes that have the mark in their environment.
func processes(t *testing.T, mark string) int {
	t.Helper()
	output, err := exec.Command("sh", "-c", "grep -la '"+mark+"' /proc/[0-9]*/environ 2>/dev/null | wc -l").Output()
	if err != nil {
		t.Fatal(err)
	}
	var count int
	if _, err := fmt.Sscan(string(output), &count); err != nil {
		t.Fatal(err)
	}
	return count
}

func goneSoon(t *testing.T, mark string) bool {
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if processes(t, mark) == 0 {
			return true
		}
	}
	return false
}

// Whatever becomes of the caller, nothing of its command is left.
func TestCallerThatGoes(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes seconds")
	}
	for name, leave := range map[string]func(*client){
		"it closes":        func(c *client) { c.to.Close() },
		"it is silent":     func(*client) {},
		"it says garbage":  func(c *client) { _, _ = c.to.Write([]byte("garbage that is no frame at all\n")) },
		"an unknown frame": func(c *client) { c.write('z', "") },
		"it says so":       func(c *client) { c.write(frames.Exit, "") },
		"a bad size":       func(c *client) { c.write(frames.Window, "x") },
	} {
		for _, isTerminal := range []bool{false, true} {
			t.Run(fmt.Sprint(name, isTerminal), func(t *testing.T) {
				t.Parallel()
				mark := fmt.Sprintf("MARK=%d-%d", os.Getpid(), rand.Int())
				c := dial(t, "exec", isTerminal)
				c.begin(request(shell("trap '' HUP; sleep 1000 & sleep 1000") + `,"stdin":true,"keepAliveSeconds":1,"env":{"MARK":"` + mark[5:] + `"}`))
				if processes(t, mark) == 0 {
					t.Error("it does not run")
				}
				leave(c)
				if !c.exited(60*time.Second) || !goneSoon(t, mark) {
					t.Error("something is left")
				}
			})
		}
	}
}

func TestTenThousandFramesOfGarbage(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewSource(7))
	c := dial(t, "exec", false)
	c.begin(request(shell("cat >/dev/null; sleep 1000") + `,"stdin":true`))
	go func() {
		for range 10_000 {
			piece := make([]byte, random.Intn(60))
			_, _ = random.Read(piece)
			if _, err := c.to.Write(piece); err != nil {
				return
			}
		}
	}()
	if _, _, last := c.rest(); last != `F{"message":"what came is no frame","reason":"BadFrame"}` {
		t.Errorf("%q", last)
	}
	if !c.exited(30 * time.Second) {
		t.Error("it hangs")
	}
}

func TestNobodyEverSpeaks(t *testing.T) {
	t.Parallel()
	c := dial(t, "exec", true)
	c.greeted()
	c.to.Close()
	if !c.exited(30 * time.Second) {
		t.Error("it hangs")
	}
	_, _ = io.Copy(io.Discard, c.from)
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes seconds")
	}
	done := make(chan string, 50)
	for index := range cap(done) {
		c := dial(t, "exec", true)
		go func() {
			c.begin(request(fmt.Sprintf(`"argv":["echo","%d"]`, index)))
			out, _, _ := c.rest()
			done <- strings.TrimSpace(out)
		}()
	}
	seen := map[string]bool{}
	for range cap(done) {
		seen[<-done] = true
	}
	if len(seen) != cap(done) {
		t.Errorf("%d of %d", len(seen), cap(done))
	}
}
