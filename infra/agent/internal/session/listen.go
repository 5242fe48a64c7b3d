package session

import (
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"serverless-kubelet.local/agent/internal/frames"
	"serverless-kubelet.local/agent/internal/launch"
)

var errSilent = errors.New("the caller is silent")

// next is the caller's next frame, unless it is silent for too long.
func (w *Wire) next(silence time.Duration) (byte, []byte, error) {
	if silence <= 0 {
		return w.frames.Next()
	}
	type result struct {
		tag     byte
		payload []byte
		err     error
	}
	results := make(chan result, 1)
	go func() {
		tag, payload, err := w.frames.Next()
		results <- result{tag, payload, err}
	}()
	select {
	case r := <-results:
		return r.tag, r.payload, r.err
	case <-time.After(silence):
		return 0, nil, errSilent
	}
}

// listen takes the caller's frames until there are none.
func (c *command) listen() error {
	silence := time.Duration(c.request.KeepAliveSeconds) * time.Second
	for {
		tag, payload, err := c.wire.next(silence)
		if err == nil {
			err = c.take(tag, payload)
		}
		if err != nil {
			return err
		}
	}
}

func (c *command) take(tag byte, payload []byte) error {
	switch tag {
	case frames.Input:
		if c.input == nil {
			return nil
		}
		return c.input.put(c.flow, payload)
	case frames.EndInput:
		if c.input != nil && c.pty == nil {
			c.input.end()
		}
	case frames.Window:
		rows, cols, ok := sizeOf(payload)
		if !ok {
			return frames.ErrGarbage
		}
		if c.pty != nil {
			_ = c.pty.Resize(rows, cols)
		}
	case frames.Signal:
		if number := unix.SignalNum(string(payload)); number != 0 {
			_ = unix.Kill(-c.process.PID, number)
		}
	case frames.Presence:
		return c.wire.Write(frames.Presence, nil)
	default:
		return frames.ErrGarbage
	}
	return nil
}

// streams are the command's descriptors, and those of them that are closed here once it has them.
func (c *command) streams(spec launch.Spec) (launch.Options, []*os.File, error) {
	if c.request.TTY {
		return c.terminal(spec)
	}
	var theirs []*os.File
	outputs := [2]*os.File{}
	for index, tag := range []byte{frames.Output, frames.Error} {
		reader, writer, err := os.Pipe()
		if err != nil {
			return launch.Options{}, theirs, err
		}
		theirs = append(theirs, writer)
		outputs[index] = writer
		c.passTo(reader, tag)
	}
	if !c.request.Stdin {
		null, err := os.Open(os.DevNull)
		return launch.Options{Files: [3]*os.File{null, outputs[0], outputs[1]}}, append(theirs, null), err
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		return launch.Options{}, theirs, err
	}
	c.input = newInput(writer)
	return launch.Options{Files: [3]*os.File{reader, outputs[0], outputs[1]}}, append(theirs, reader), nil
}

func (c *command) terminal(spec launch.Spec) (launch.Options, []*os.File, error) {
	uid := -1
	if spec.User != nil {
		uid = spec.User.UID
	}
	pty, err := NewPty(uid)
	if err != nil {
		return launch.Options{}, nil, err
	}
	c.pty = pty
	if c.request.Rows > 0 && c.request.Cols > 0 {
		_ = pty.Resize(c.request.Rows, c.request.Cols)
	}
	c.passTo(pty.Master, frames.Output)
	c.input = newInput(keepOpen{pty.Master})
	file := pty.Terminal
	return launch.Options{Files: [3]*os.File{file, file, file}, Terminal: true}, []*os.File{file}, nil
}

// keepOpen is a writer that others read from.
type keepOpen struct{ io.Writer }

func (keepOpen) Close() error { return nil }

// passTo remembers an output, which is passed on once the caller knows that the command has begun.
func (c *command) passTo(from io.Reader, tag byte) {
	passed := make(chan struct{})
	c.passed = append(c.passed, passed)
	c.passing = append(c.passing, func() {
		defer close(passed)
		c.wire.pass(from, tag)
	})
}
