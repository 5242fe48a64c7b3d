package statedir

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"serverless-kubelet.local/agent/internal/regular"
)

// The output of a run is in two files, of which the older one goes when the newer is full; so is that of the run before.
const (
	logFile     = "log"
	olderFile   = "log.older"
	beforeFile  = "before"
	beforeOlder = "before.older"
)

const (
	// maxLogFile is the size of each of a run's two files.
	maxLogFile = 256 << 10
	// maxLogLine is how much of a line is kept together, as a kubelet's runtime does.
	maxLogLine = 16 << 10
)

// Log keeps the end of a run's output: each line behind its RFC 3339 instant. What can't be written is not kept.
type Log struct {
	mu      sync.Mutex
	path    string
	file    *os.File
	size    int
	streams []*logStream
	now     func() time.Time
}

// BeginLog makes what the run before has written readable by [LogBefore], and begins a new log.
func (o *Own) BeginLog() *Log {
	at := func(name string) string { return filepath.Join(o.path, name) }
	// A run that was short has no older half, and is not to have that of the one before it.
	_ = os.Remove(at(beforeOlder))
	_ = os.Rename(at(olderFile), at(beforeOlder))
	_ = os.Rename(at(logFile), at(beforeFile))
	l := &Log{path: o.path, now: time.Now}
	l.open()
	return l
}

// LogBefore is what is left of the output of the run before the present one; fs.ErrNotExist where nothing was kept.
func LogBefore(root, container string) (io.ReadCloser, error) {
	path := folder(root, container)
	newer, err := regular.Open(filepath.Join(path, beforeFile), os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	older, err := regular.Open(filepath.Join(path, beforeOlder), os.O_RDONLY, 0)
	if err != nil {
		return both{Reader: newer, files: []*os.File{newer}}, nil
	}
	return both{Reader: io.MultiReader(older, newer), files: []*os.File{older, newer}}, nil
}

// both are two files to be read as one.
type both struct {
	io.Reader
	files []*os.File
}

func (b both) Close() error {
	var all error
	for _, file := range b.files {
		all = errors.Join(all, file.Close())
	}
	return all
}

// forgetLogs is of a group that starts anew.
func forgetLogs(path string) error {
	var all error
	for _, name := range []string{logFile, olderFile, beforeFile, beforeOlder} {
		if err := os.Remove(filepath.Join(path, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			all = errors.Join(all, err)
		}
	}
	return all
}

// open begins an empty file; a link that somebody has put in its place is replaced, not followed.
func (l *Log) open() {
	name := filepath.Join(l.path, logFile)
	_ = os.Remove(name)
	l.file, _ = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_CLOEXEC, 0o600)
	l.size = 0
}

// Stream is for one descriptor of the program; lines of several do not mix. It never fails, so that output goes its way.
func (l *Log) Stream() io.Writer {
	l.mu.Lock()
	defer l.mu.Unlock()
	stream := &logStream{log: l}
	l.streams = append(l.streams, stream)
	return stream
}

// Close writes what lacks the end of its line. What comes later is not kept.
func (l *Log) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, stream := range l.streams {
		if len(stream.rest) > 0 {
			l.write(append(stream.stamped(stream.rest), '\n'))
			stream.rest = nil
		}
	}
	l.close()
}

func (l *Log) close() {
	if l.file != nil {
		l.file.Close()
		l.file = nil
	}
}

// write has the lock.
func (l *Log) write(lines []byte) {
	if l.file == nil || len(lines) == 0 {
		return
	}
	if l.size > 0 && l.size+len(lines) > maxLogFile {
		l.close()
		if os.Rename(filepath.Join(l.path, logFile), filepath.Join(l.path, olderFile)) != nil {
			return
		}
		if l.open(); l.file == nil {
			return
		}
	}
	n, err := l.file.Write(lines)
	if l.size += n; err != nil {
		// A full disk: half a line is no reason to go on.
		l.close()
	}
}

type logStream struct {
	log *Log
	// rest is the beginning of a line.
	rest []byte
}

func (s *logStream) Write(data []byte) (int, error) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	if s.log.file == nil {
		return len(data), nil
	}
	var lines []byte
	for left := data; len(left) > 0; {
		end := bytes.IndexByte(left, '\n')
		if end < 0 {
			s.rest = append(s.rest, left...)
			break
		}
		lines = append(lines, s.stamped(append(s.rest, left[:end+1]...))...)
		s.rest, left = s.rest[:0], left[end+1:]
	}
	if len(s.rest) > maxLogLine {
		lines = append(append(lines, s.stamped(s.rest)...), '\n')
		s.rest = s.rest[:0]
	}
	s.log.write(lines)
	return len(data), nil
}

// instant is RFC 3339 with all nine digits, as container runtimes write it.
const instant = "2006-01-02T15:04:05.000000000Z"

func (s *logStream) stamped(line []byte) []byte {
	return append(append(s.log.now().UTC().AppendFormat(nil, instant), ' '), line...)
}
