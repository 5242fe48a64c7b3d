// Package session is what runs at the other end of a terminal of ARM's exec: a command, or connections to ports.
package session

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"serverless-kubelet.local/agent/internal/frames"
)

const (
	version = 1
	// window is how much input may be on its way to a command.
	window = 64 << 10
	// maxLine is of the one line that comes before frames; it has a whole argv.
	maxLine = 1 << 20
	// linePatience is how long it is waited for.
	linePatience = 30 * time.Second
)

// setRaw makes a terminal pass every byte as it is. TCSETS throws nothing away that has come already.
func setRaw(file *os.File) {
	descriptor := int(file.Fd())
	mode, err := unix.IoctlGetTermios(descriptor, unix.TCGETS)
	if err != nil {
		// A pipe passes every byte.
		return
	}
	mode.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON | unix.IXOFF
	mode.Oflag &^= unix.OPOST
	mode.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	mode.Cflag &^= unix.CSIZE | unix.PARENB
	mode.Cflag |= unix.CS8
	mode.Cc[unix.VMIN], mode.Cc[unix.VTIME] = 1, 0
	// One that can't be changed shows in the first checksum.
	_ = unix.IoctlSetTermios(descriptor, unix.TCSETS, mode)
}

// Wire is both directions of a terminal.
type Wire struct {
	*frames.Writer
	in     *bufio.Reader
	frames *frames.Reader
}

// greet makes the terminal raw and says hello.
func greet(in, out *os.File) (*Wire, error) {
	setRaw(in)
	wire := &Wire{Writer: frames.NewWriter(out), in: bufio.NewReaderSize(in, maxLine)}
	_, err := fmt.Fprintf(out, "SK1 {\"version\":%d,\"window\":%d}\n", version, window)
	return wire, err
}

// newWire is one whose hello somebody else has said.
func newWire(in io.Reader, out io.Writer) *Wire {
	wire := &Wire{Writer: frames.NewWriter(out), in: bufio.NewReaderSize(in, frames.MaxPayload+64)}
	wire.frames = frames.NewReader(wire.in)
	return wire
}

// request reads the caller's line. Behind it there are frames.
func (w *Wire) request(into any) ([]byte, error) {
	lines := make(chan []byte, 1)
	failures := make(chan error, 1)
	go func() {
		line, err := w.in.ReadSlice('\n')
		if err != nil {
			failures <- err
			return
		}
		lines <- line
	}()
	select {
	case line := <-lines:
		w.frames = frames.NewReader(w.in)
		// What is read next overwrites the line.
		line = append([]byte(nil), line...)
		return line, json.Unmarshal(line, into)
	case err := <-failures:
		return nil, err
	case <-time.After(linePatience):
		return nil, errors.New("no line came")
	}
}

// fault is the last word to the caller.
func (w *Wire) fault(reason, message string) {
	w.say(frames.Fault, map[string]string{"reason": reason, "message": message})
}

// say sends a payload of JSON. A caller that has gone misses it.
func (w *Wire) say(tag byte, payload any) {
	data, err := json.Marshal(payload)
	if err == nil {
		_ = w.Write(tag, data)
	}
}

// Reasons of faults.
const (
	badRequest  = "BadRequest"
	badFrame    = "BadFrame"
	startFailed = "StartError"
	tooMuch     = "TooMuchInput"
	notRunning  = "NotRunning"
	notKept     = "NotKept"
)
