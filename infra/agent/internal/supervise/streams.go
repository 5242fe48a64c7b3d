package supervise

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// streams are the container's standard descriptors, set aside for the program. The agent keeps the output, because images
// write to the log by /proc/1/fd/1, and says nothing there itself; for the others it has /dev/null, so that not even a
// crash of Go's runtime, which goes to standard error, adds to the log.
type streams struct {
	files [3]*os.File
	null  *os.File
}

// firstFree is above what any part of the program could mean by number.
const firstFree = 20

func takeStreams() (streams, error) {
	var s streams
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return s, err
	}
	s.null = null
	for number := range s.files {
		own, err := unix.FcntlInt(uintptr(number), unix.F_DUPFD_CLOEXEC, firstFree)
		switch {
		case errors.Is(err, unix.EBADF):
			// A container without this descriptor; its program would not have it either.
			s.files[number] = null
		case err != nil:
			return s, err
		default:
			s.files[number] = os.NewFile(uintptr(own), "stream")
		}
		if number == 1 && err == nil {
			continue
		}
		if err := unix.Dup2(int(null.Fd()), number); err != nil {
			return s, err
		}
	}
	return s, nil
}

func isTerminal(file *os.File) bool {
	_, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS)
	return err == nil
}

// tee passes output on to the container's own and to what keeps it.
type tee struct {
	writer *os.File
	done   chan struct{}
}

func newTee(to *os.File, keep io.Writer) (*tee, error) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	t := &tee{writer: writer, done: make(chan struct{})}
	go func() {
		defer close(t.done)
		// Closed, so that a program whose log nobody takes gets what it would get without the pipe.
		defer reader.Close()
		_, _ = io.Copy(io.MultiWriter(keep, to), reader)
	}()
	return t, nil
}
