package session

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"serverless-kubelet.local/agent/internal/frames"
)

// listenAt serves connections to a port of this machine.
func listenAt(t *testing.T, network, address string, serve func(net.Conn)) uint16 {
	t.Helper()
	listener, err := net.Listen(network, address)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	port, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatal(listener.Addr())
	}
	return uint16(port.Port)
}

func echo(conn net.Conn) {
	defer conn.Close()
	_, _ = io.Copy(conn, conn)
}

func portOf(port uint16) string { return string(binary.BigEndian.AppendUint16(nil, port)) }

// gathered is what came from connections until each has been closed.
type gathered struct {
	data map[uint32]string
	why  map[uint32]string
}

func (c *client) gather(count int) gathered {
	c.t.Helper()
	g := gathered{map[uint32]string{}, map[uint32]string{}}
	for len(g.why) < count {
		tag, payload, err := c.Reader.Next()
		if err != nil {
			c.t.Fatal(err)
		}
		switch tag {
		case frames.Data:
			g.data[binary.BigEndian.Uint32(payload)] += string(payload[idBytes:])
		case frames.Exit:
			g.why[binary.BigEndian.Uint32(payload)] = string(payload[idBytes:])
		}
	}
	return g
}

func TestConnections(t *testing.T) {
	t.Parallel()
	four := listenAt(t, "tcp4", "127.0.0.1:0", echo)
	six := listenAt(t, "tcp6", "[::1]:0", echo)
	closed := listenAt(t, "tcp4", "127.0.0.1:0", func(conn net.Conn) { conn.Close() })
	c := dial(t, "forward", true)
	c.begin(request(`"keepAliveSeconds":60`))
	for id, port := range []uint16{four, four, six, closed, 1} {
		c.write(frames.Open, number(uint32(id))+portOf(port))
	}
	for _, id := range []uint32{2, 0, 1} {
		c.write(frames.Data, number(id)+fmt.Sprintf("hello %d", id))
		c.write(frames.EndInput, number(id))
	}
	// The port has closed its side; the caller closes the other.
	c.write(frames.EndInput, number(3))
	c.write(frames.Presence, "")
	// Of those that are gone, nothing is remembered.
	c.write(frames.Data, number(77)+"x")
	c.write(frames.Credit, number(77)+number(1))
	g := c.gather(5)
	for id := range uint32(3) {
		if g.data[id] != fmt.Sprintf("hello %d", id) || g.why[id] != "" {
			t.Errorf("%d: %q %q", id, g.data[id], g.why[id])
		}
	}
	if want := "failed to connect to localhost:1 inside the pod: dial tcp4 127.0.0.1:1: connect: connection refused"; g.why[4] != want || g.data[3] != "" {
		t.Errorf("%v", g.why)
	}
}

// One connection whose caller takes nothing holds no other up.
func TestSlowConnection(t *testing.T) {
	t.Parallel()
	endless := listenAt(t, "tcp4", "127.0.0.1:0", func(conn net.Conn) {
		defer conn.Close()
		for {
			if _, err := conn.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	})
	port := listenAt(t, "tcp4", "127.0.0.1:0", echo)
	c := dial(t, "forward", true)
	c.begin(request(`"keepAliveSeconds":0`))
	c.write(frames.Open, number(1)+portOf(endless))
	got := 0
	for got < connectionWindow {
		tag, payload, err := c.Reader.Next()
		if err != nil || tag != frames.Data {
			t.Fatalf("%c %v", tag, err)
		}
		got += len(payload) - idBytes
	}
	c.write(frames.Open, number(2)+portOf(port))
	c.write(frames.Data, number(2)+"quick")
	c.write(frames.EndInput, number(2))
	g := c.gather(1)
	if got != connectionWindow || g.data[2] != "quick" || g.data[1] != "" {
		t.Errorf("%d bytes without credit, %v", got, g.data)
	}
	// The caller's end of it is the port's.
	c.write(frames.Exit, number(1))
	if g := c.gather(1); g.why[1] != "" {
		t.Errorf("%v", g.why)
	}
}

func TestMuchThroughOneConnection(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes seconds")
	}
	data := make([]byte, 8<<20)
	if _, err := rand.New(rand.NewSource(1)).Read(data); err != nil {
		t.Fatal(err)
	}
	port := listenAt(t, "tcp4", "127.0.0.1:0", echo)
	c := dial(t, "forward", true)
	c.begin(request(`"keepAliveSeconds":60`))
	c.write(frames.Open, number(9)+portOf(port))
	var mu sync.Mutex
	wake := sync.NewCond(&mu)
	credit := connectionWindow
	go func() {
		for rest := data; len(rest) > 0; {
			mu.Lock()
			for credit == 0 {
				wake.Wait()
			}
			n := min(len(rest), credit, 20_000)
			credit -= n
			mu.Unlock()
			if c.Writer.Write(frames.Data, append([]byte(number(9)), rest[:n]...)) != nil {
				return
			}
			rest = rest[n:]
		}
		_ = c.Writer.Write(frames.EndInput, []byte(number(9)))
	}()
	var back bytes.Buffer
	for {
		tag, payload, err := c.Reader.Next()
		if err != nil {
			t.Fatal(err)
		}
		if tag == frames.Exit {
			break
		}
		switch tag {
		case frames.Credit:
			mu.Lock()
			credit += int(binary.BigEndian.Uint32(payload[idBytes:]))
			wake.Signal()
			mu.Unlock()
		case frames.Data:
			back.Write(payload[idBytes:])
			c.write(frames.Credit, number(9)+number(uint32(len(payload)-idBytes)))
		}
	}
	if !bytes.Equal(back.Bytes(), data) {
		t.Errorf("%d bytes came back", back.Len())
	}
}

func TestForwardOfGarbage(t *testing.T) {
	t.Parallel()
	port := listenAt(t, "tcp4", "127.0.0.1:0", echo)
	open := number(1) + portOf(port)
	for name, list := range map[string][][2]string{
		"a short one":       {{"D", "abc"}},
		"an unknown one":    {{"N", open}, {"z", number(1)}},
		"the same twice":    {{"N", open}, {"N", open}},
		"no port":           {{"N", number(1)}},
		"credit of no size": {{"N", open}, {"C", number(1) + "x"}},
	} {
		c := dial(t, "forward", false)
		c.begin(request(`"keepAliveSeconds":60`))
		for _, one := range list {
			c.write(one[0][0], one[1])
		}
		if tag, payload := c.next(); tag != frames.Fault || !strings.Contains(payload, "BadFrame") {
			t.Errorf("%s: %c %q", name, tag, payload)
		}
		if !c.exited(30 * time.Second) {
			t.Errorf("%s: it hangs", name)
		}
	}
	// Too much for one connection ends that one.
	c := dial(t, "forward", false)
	over := make(chan struct{})
	defer close(over)
	stuck := listenAt(t, "tcp4", "127.0.0.1:0", func(conn net.Conn) {
		<-over
		conn.Close()
	})
	c.begin(request(`"keepAliveSeconds":60`))
	c.write(frames.Open, number(1)+portOf(stuck))
	go func() {
		for range 1000 {
			if c.Writer.Write(frames.Data, append([]byte(number(1)), make([]byte, 30_000)...)) != nil {
				return
			}
		}
	}()
	if g := c.gather(1); g.why[1] != errTooMuch.Error() {
		t.Errorf("%v", g.why)
	}
}
