package session

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"serverless-kubelet.local/agent/internal/frames"
	"serverless-kubelet.local/agent/internal/launch"
	"serverless-kubelet.local/agent/internal/orders"
	"serverless-kubelet.local/agent/internal/reap"
)

const (
	// pieceBytes is what is read of a program's output at once; an attached caller has a few of them to come.
	pieceBytes = 16 << 10
	pieces     = 8
	// slowPatience is how long a program waits for a caller that takes nothing; then the caller has to attach again.
	slowPatience = 10 * time.Second
)

// Broker is between a program and those who attach to it. Its output goes to the container's log all the same.
type Broker struct {
	program *orders.Program
	pty     *Pty
	input   *input
	passed  []chan struct{}

	mu       sync.Mutex
	attached map[*attachment]struct{}
	end      *reap.Exit
}

// NewBroker makes the program's descriptors; those of theirs are closed here once it has them.
func NewBroker(program *orders.Program, uid int, log [2]io.Writer) (b *Broker, options launch.Options, theirs []*os.File, err error) {
	b = &Broker{program: program, attached: map[*attachment]struct{}{}}
	if program.TTY {
		if b.pty, err = NewPty(uid); err != nil {
			return nil, launch.Options{}, nil, err
		}
		b.pass(b.pty.Master, log[0], frames.Output)
		b.input = newInput(keepOpen{b.pty.Master})
		file := b.pty.Terminal
		return b, launch.Options{Files: [3]*os.File{file, file, file}, Terminal: true}, []*os.File{file}, nil
	}
	options, theirs, err = b.pipes(log)
	return b, options, theirs, err
}

func (b *Broker) pipes(log [2]io.Writer) (options launch.Options, theirs []*os.File, err error) {
	stdin, writer, err := os.Pipe()
	if err != nil {
		return options, nil, err
	}
	b.input = newInput(writer)
	options.Files[0] = stdin
	theirs = append(theirs, stdin)
	for index, tag := range []byte{frames.Output, frames.Error} {
		reader, writer, err := os.Pipe()
		if err != nil {
			return options, theirs, err
		}
		options.Files[index+1] = writer
		theirs = append(theirs, writer)
		b.pass(reader, log[index], tag)
	}
	return options, theirs, nil
}

func (b *Broker) pass(from io.Reader, log io.Writer, tag byte) {
	passed := make(chan struct{})
	b.passed = append(b.passed, passed)
	go func() {
		defer close(passed)
		buffer := make([]byte, pieceBytes)
		for {
			n, err := from.Read(buffer)
			if n > 0 {
				// A log that nobody takes is no reason to keep it from those who are attached.
				_, _ = log.Write(buffer[:n])
				b.sendAll(tag, append([]byte(nil), buffer[:n]...))
			}
			if err != nil {
				return
			}
		}
	}()
}

func (b *Broker) sendAll(tag byte, data []byte) {
	b.mu.Lock()
	list := make([]*attachment, 0, len(b.attached))
	for one := range b.attached {
		list = append(list, one)
	}
	b.mu.Unlock()
	for _, one := range list {
		one.send(tag, data)
	}
}

// End is that the program has ended and all its output has come: those who are attached hear of it.
func (b *Broker) End(exit reap.Exit) {
	patience := time.After(outputPatience)
	for _, passed := range b.passed {
		select {
		case <-passed:
		case <-patience:
			patience = closedTimer()
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.end = &exit
	for one := range b.attached {
		close(one.ended)
	}
	b.input.end()
	if b.pty != nil {
		b.pty.Master.Close()
	}
}

// attachment is one caller.
type attachment struct {
	pid   int
	wire  *Wire
	flow  *flow
	queue chan piecedFrame
	// ended is closed at the program's end, gone when the caller has gone or is too slow.
	ended, gone chan struct{}
	leave       sync.Once
	why         error
}

type piecedFrame struct {
	tag  byte
	data []byte
}

var errSlow = errors.New("the caller takes no output")

func (a *attachment) send(tag byte, data []byte) {
	timer := time.NewTimer(slowPatience)
	defer timer.Stop()
	select {
	case a.queue <- piecedFrame{tag, data}:
	case <-a.gone:
	case <-timer.C:
		a.depart(errSlow)
	}
}

func (a *attachment) depart(why error) {
	a.leave.Do(func() {
		a.why = why
		close(a.gone)
	})
}

// Serve is one caller's session, from its line to its end. The process carries it, and has to live until its end is said.
func (b *Broker) Serve(conn io.ReadWriter, pid int) {
	wire := newWire(conn, conn)
	var request Request
	if _, err := wire.request(&request); err != nil {
		return
	}
	a := &attachment{
		pid: pid, wire: wire, flow: &flow{credit: wire.sendCredit}, queue: make(chan piecedFrame, pieces),
		ended: make(chan struct{}), gone: make(chan struct{}),
	}
	if !b.join(a) {
		wire.fault(notRunning, "the program has ended")
		return
	}
	wire.say(frames.Begun, map[string]any{"nonce": request.Nonce, "pid": 0})
	if b.pty != nil && request.Rows > 0 && request.Cols > 0 {
		_ = b.pty.Resize(request.Rows, request.Cols)
	}
	go func() { a.depart(b.listen(a, request)) }()
	b.serveUntilEnd(a)
	b.part(a)
	if b.program.StdinOnce && request.Stdin {
		b.input.end()
	}
}

func (b *Broker) join(a *attachment) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.end != nil {
		return false
	}
	b.attached[a] = struct{}{}
	return true
}

// Carriers are the processes that carry sessions.
func (b *Broker) Carriers() []int {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []int
	for one := range b.attached {
		list = append(list, one.pid)
	}
	return list
}

func (b *Broker) part(a *attachment) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.attached, a)
}

// serveUntilEnd passes output on until the program has ended or the caller has gone.
func (b *Broker) serveUntilEnd(a *attachment) {
	for {
		select {
		case one := <-a.queue:
			if err := a.wire.Write(one.tag, one.data); err != nil {
				a.depart(err)
			}
		case <-a.gone:
			a.farewell()
			return
		case <-a.ended:
			b.lastWord(a)
			return
		}
	}
}

// lastWord is the end, behind all output.
func (b *Broker) lastWord(a *attachment) {
	for len(a.queue) > 0 {
		one := <-a.queue
		_ = a.wire.Write(one.tag, one.data)
	}
	end := map[string]int{"exitCode": b.end.Code()}
	if signal := b.end.Signal(); signal != 0 {
		end["signal"] = signal
	}
	a.wire.say(frames.Exit, end)
}

func (a *attachment) farewell() {
	switch {
	case errors.Is(a.why, frames.ErrGarbage):
		a.wire.fault(badFrame, a.why.Error())
	case errors.Is(a.why, errTooMuch):
		a.wire.fault(tooMuch, a.why.Error())
	case errors.Is(a.why, errSlow):
		a.wire.fault("TooSlow", a.why.Error())
	}
}
