package session

import (
	"encoding/binary"
	"errors"
	"io"
	"sync"

	"serverless-kubelet.local/agent/internal/frames"
)

// flow is the credit of one caller.
type flow struct {
	credit func(bytes int)
	// queued is what the caller has no credit for until it is written.
	queued int
}

type piece struct {
	data []byte
	from *flow
}

// input is what goes to a command: written by one goroutine, so that a command that reads nothing holds up nothing else.
type input struct {
	to io.WriteCloser

	mu    sync.Mutex
	wake  *sync.Cond
	queue []piece
	ended bool
}

func newInput(to io.WriteCloser) *input {
	i := &input{to: to}
	i.wake = sync.NewCond(&i.mu)
	go i.run()
	return i
}

var errTooMuch = errors.New("more input than there was credit for")

// put takes a piece. More than a window is the caller's fault.
func (i *input) put(from *flow, data []byte) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if from.queued += len(data); from.queued > window {
		return errTooMuch
	}
	if !i.ended && len(data) > 0 {
		i.queue = append(i.queue, piece{data, from})
		i.wake.Signal()
	}
	return nil
}

// end closes the other side when all before has been written.
func (i *input) end() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.ended = true
	i.wake.Signal()
}

func (i *input) next() (piece, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for len(i.queue) == 0 && !i.ended {
		i.wake.Wait()
	}
	if len(i.queue) == 0 {
		return piece{}, false
	}
	one := i.queue[0]
	i.queue = i.queue[1:]
	return one, true
}

func (i *input) run() {
	defer i.to.Close()
	for {
		one, ok := i.next()
		if !ok {
			return
		}
		// A command that does not want it any more still lets the caller go on.
		_, _ = i.to.Write(one.data)
		i.mu.Lock()
		one.from.queued -= len(one.data)
		i.mu.Unlock()
		one.from.credit(len(one.data))
	}
}

// sendCredit lets so many more bytes come.
func (w *Wire) sendCredit(bytes int) {
	_ = w.Write(frames.Credit, binary.BigEndian.AppendUint32(nil, uint32(bytes)))
}

// pass sends all that comes from a command, until its end.
func (w *Wire) pass(from io.Reader, tag byte) {
	buffer := make([]byte, frames.MaxPayload)
	for {
		n, err := from.Read(buffer)
		if n > 0 && w.Write(tag, buffer[:n]) != nil {
			return
		}
		if err != nil {
			return
		}
	}
}
