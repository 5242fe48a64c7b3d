package session

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"serverless-kubelet.local/agent/internal/frames"
)

const (
	// connectionWindow is how much may be on its way to one side of a connection.
	connectionWindow = 256 << 10
	dialPatience     = 10 * time.Second
	// maxConnections of one session.
	maxConnections = 1024
	// idBytes is the number of a connection, at the begin of each payload.
	idBytes = 4
)

// Forward is what /.sk/f runs.
func Forward(in, out *os.File) int {
	wire, err := greet(in, out)
	if err != nil {
		return 1
	}
	var request Request
	if _, err := wire.request(&request); err != nil {
		if !errors.Is(err, io.EOF) {
			wire.fault(badRequest, err.Error())
		}
		return 1
	}
	wire.say(frames.Begun, map[string]any{"nonce": request.Nonce, "pid": os.Getpid()})
	f := &forwarder{wire: wire, dial: dialLocal, open: map[uint32]*connection{}}
	err = f.listen(time.Duration(request.KeepAliveSeconds) * time.Second)
	if errors.Is(err, frames.ErrGarbage) {
		wire.fault(badFrame, err.Error())
	}
	return 1
}

// dialLocal is a kubelet's: localhost of the pod, IPv4 first.
func dialLocal(port uint16) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: dialPatience}
	text := strconv.Itoa(int(port))
	conn, err := dialer.Dial("tcp4", net.JoinHostPort("127.0.0.1", text))
	if err == nil {
		return conn, nil
	}
	if six, failure := dialer.Dial("tcp6", net.JoinHostPort("::1", text)); failure == nil {
		return six, nil
	}
	return nil, fmt.Errorf("failed to connect to localhost:%d inside the pod: %w", port, err)
}

type forwarder struct {
	wire *Wire
	dial func(port uint16) (net.Conn, error)

	mu   sync.Mutex
	open map[uint32]*connection
}

// send writes a frame of a connection.
func (f *forwarder) send(tag byte, id uint32, payload []byte) error {
	return f.wire.Write(tag, append(binary.BigEndian.AppendUint32(make([]byte, 0, idBytes+len(payload)), id), payload...))
}

func (f *forwarder) listen(silence time.Duration) error {
	for {
		tag, payload, err := f.wire.next(silence)
		if err != nil {
			return err
		}
		if tag == frames.Presence {
			if err := f.wire.Write(frames.Presence, nil); err != nil {
				return err
			}
			continue
		}
		if len(payload) < idBytes {
			return frames.ErrGarbage
		}
		if err := f.take(tag, binary.BigEndian.Uint32(payload), payload[idBytes:]); err != nil {
			return err
		}
	}
}

func (f *forwarder) take(tag byte, id uint32, payload []byte) error {
	if tag == frames.Open {
		return f.begin(id, payload)
	}
	f.mu.Lock()
	c := f.open[id]
	f.mu.Unlock()
	switch {
	case tag != frames.Data && tag != frames.EndInput && tag != frames.Credit && tag != frames.Exit:
		return frames.ErrGarbage
	case c == nil:
		// It has ended here, and the caller did not know yet.
		return nil
	case tag == frames.Credit:
		if len(payload) != 4 {
			return frames.ErrGarbage
		}
		c.grant(int(binary.BigEndian.Uint32(payload)))
	case tag == frames.Exit:
		c.close("")
	default:
		c.deliver(payload, tag == frames.EndInput)
	}
	return nil
}

func (f *forwarder) begin(id uint32, payload []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(payload) != 2 || f.open[id] != nil {
		return frames.ErrGarbage
	}
	if len(f.open) >= maxConnections {
		return f.send(frames.Exit, id, []byte("too many connections"))
	}
	c := newConnection(f, id)
	f.open[id] = c
	go c.run(binary.BigEndian.Uint16(payload))
	return nil
}

func (f *forwarder) forget(id uint32) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.open, id)
}
