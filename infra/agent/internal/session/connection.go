package session

import (
	"errors"
	"io"
	"net"
	"sync"

	"encoding/binary"

	"serverless-kubelet.local/agent/internal/frames"
)

// connection is one of a port-forward.
type connection struct {
	f  *forwarder
	id uint32

	mu   sync.Mutex
	wake *sync.Cond
	conn net.Conn
	// queue goes to the port; queued is what the caller has no credit for until it is written.
	queue   [][]byte
	queued  int
	atEnd   bool
	credits int
	closed  bool
}

func newConnection(f *forwarder, id uint32) *connection {
	c := &connection{f: f, id: id, credits: connectionWindow}
	c.wake = sync.NewCond(&c.mu)
	return c
}

func (c *connection) run(port uint16) {
	conn, err := c.f.dial(port)
	if err != nil {
		c.close(err.Error())
		return
	}
	c.mu.Lock()
	c.conn = conn
	isLate := c.closed
	c.mu.Unlock()
	if isLate {
		conn.Close()
		return
	}
	var both sync.WaitGroup
	both.Go(c.write)
	both.Go(c.read)
	both.Wait()
	c.close("")
}

// close ends the connection at both sides, once.
func (c *connection) close(why string) {
	c.mu.Lock()
	isFirst := !c.closed
	c.closed = true
	conn := c.conn
	c.wake.Broadcast()
	c.mu.Unlock()
	if !isFirst {
		return
	}
	if conn != nil {
		conn.Close()
	}
	c.f.forget(c.id)
	_ = c.f.send(frames.Exit, c.id, []byte(why))
}

func (c *connection) grant(bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.credits = min(c.credits+bytes, connectionWindow)
	c.wake.Broadcast()
}

// deliver takes what is for the port. More than there was credit for ends this connection and no other.
func (c *connection) deliver(payload []byte, isEnd bool) {
	c.mu.Lock()
	c.queued += len(payload)
	isTooMuch := c.queued > connectionWindow
	if len(payload) > 0 && !c.atEnd {
		c.queue = append(c.queue, payload)
	}
	c.atEnd = c.atEnd || isEnd
	c.wake.Broadcast()
	c.mu.Unlock()
	if isTooMuch {
		c.close(errTooMuch.Error())
	}
}

// next is what is to be written; false at the end.
func (c *connection) next() ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.queue) == 0 && !c.atEnd && !c.closed {
		c.wake.Wait()
	}
	if len(c.queue) == 0 || c.closed {
		return nil, false
	}
	data := c.queue[0]
	c.queue = c.queue[1:]
	return data, true
}

func (c *connection) write() {
	for {
		data, ok := c.next()
		if !ok {
			break
		}
		if _, err := c.conn.Write(data); err != nil {
			c.close(err.Error())
			return
		}
		c.mu.Lock()
		c.queued -= len(data)
		c.mu.Unlock()
		_ = c.f.send(frames.Credit, c.id, binary.BigEndian.AppendUint32(nil, uint32(len(data))))
	}
	if half, ok := c.conn.(interface{ CloseWrite() error }); ok {
		// Who has closed already gets no end.
		_ = half.CloseWrite()
	}
}

// take waits for credit, at most so much.
func (c *connection) take(most int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.credits == 0 && !c.closed {
		c.wake.Wait()
	}
	if c.closed {
		return 0
	}
	return min(most, c.credits)
}

func (c *connection) spend(bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.credits -= bytes
}

func (c *connection) read() {
	buffer := make([]byte, frames.MaxPayload-idBytes)
	for {
		room := c.take(len(buffer))
		if room == 0 {
			return
		}
		n, err := c.conn.Read(buffer[:room])
		if n > 0 {
			c.spend(n)
			if c.f.send(frames.Data, c.id, buffer[:n]) != nil {
				c.close("")
				return
			}
		}
		if errors.Is(err, io.EOF) {
			_ = c.f.send(frames.EndInput, c.id, nil)
			return
		}
		if err != nil {
			c.close(err.Error())
			return
		}
	}
}
