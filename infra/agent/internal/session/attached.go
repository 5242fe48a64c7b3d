package session

import (
	"time"

	"golang.org/x/sys/unix"

	"serverless-kubelet.local/agent/internal/frames"
)

// listen takes the frames of one who is attached until there are none.
func (b *Broker) listen(a *attachment, request Request) error {
	silence := time.Duration(request.KeepAliveSeconds) * time.Second
	for {
		tag, payload, err := a.wire.next(silence)
		if err == nil {
			err = b.take(a, request, tag, payload)
		}
		if err != nil {
			return err
		}
	}
}

func (b *Broker) take(a *attachment, request Request, tag byte, payload []byte) error {
	switch tag {
	case frames.Input:
		if !request.Stdin || !b.program.Stdin {
			return nil
		}
		return b.input.put(a.flow, payload)
	case frames.EndInput:
		// A program whose input is for more than one caller keeps it.
		if request.Stdin && b.program.StdinOnce && b.pty == nil {
			b.input.end()
		}
	case frames.Window:
		rows, cols, ok := sizeOf(payload)
		if !ok {
			return frames.ErrGarbage
		}
		if b.pty != nil {
			_ = b.pty.Resize(rows, cols)
		}
	case frames.Signal:
		// It is the program of the pod, and not the caller's command.
		if unix.SignalNum(string(payload)) == 0 {
			return frames.ErrGarbage
		}
	case frames.Presence:
		return a.wire.Write(frames.Presence, nil)
	default:
		return frames.ErrGarbage
	}
	return nil
}
