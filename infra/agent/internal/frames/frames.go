// Package frames is what a terminal of ARM's exec carries: pieces with a tag, and a checksum that counts them, so that
// what was lost or changed on the way is never taken for data.
package frames

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"
)

// Tags.
const (
	Begun     = 'B'
	Input     = 'I'
	Credit    = 'C'
	EndInput  = 'E'
	Window    = 'W'
	Signal    = 'S'
	Presence  = 'P'
	Output    = 'O'
	Error     = 'R'
	Exit      = 'X'
	Fault     = 'F'
	Open      = 'N'
	Data      = 'D'
	headBytes = 7
)

// MaxPayload is the most that one frame carries.
const MaxPayload = 32 << 10

// ErrGarbage is that what came is no frame, or not the next one.
var ErrGarbage = errors.New("what came is no frame")

func checksum(number uint32, head, payload []byte) uint32 {
	sum := crc32.NewIEEE()
	var count [4]byte
	binary.BigEndian.PutUint32(count[:], number)
	sum.Write(count[:])
	sum.Write(head)
	sum.Write(payload)
	return sum.Sum32()
}

// Writer writes frames, from several goroutines one after another.
type Writer struct {
	mu     sync.Mutex
	to     io.Writer
	number uint32
}

// NewWriter begins to count.
func NewWriter(to io.Writer) *Writer { return &Writer{to: to} }

// Write writes one frame whole.
func (w *Writer) Write(tag byte, payload []byte) error {
	if len(payload) > MaxPayload {
		return fmt.Errorf("a payload of %d bytes", len(payload))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	frame := make([]byte, headBytes, headBytes+len(payload))
	frame[0] = tag
	binary.BigEndian.PutUint16(frame[1:], uint16(len(payload)))
	binary.BigEndian.PutUint32(frame[3:], checksum(w.number, frame[:3], payload))
	w.number++
	_, err := w.to.Write(append(frame, payload...))
	return err
}

// Reader reads frames from a stream that may be cut anywhere.
type Reader struct {
	from   *bufio.Reader
	number uint32
}

// NewReader begins to count.
func NewReader(from *bufio.Reader) *Reader { return &Reader{from: from} }

// Next is the next frame: io.EOF where there is none, ErrGarbage where something else came. The payload is the caller's.
func (r *Reader) Next() (tag byte, payload []byte, err error) {
	var head [headBytes]byte
	if _, err := io.ReadFull(r.from, head[:1]); err != nil {
		return 0, nil, err
	}
	if _, err := io.ReadFull(r.from, head[1:]); err != nil {
		return 0, nil, ErrGarbage
	}
	length := int(binary.BigEndian.Uint16(head[1:]))
	if length > MaxPayload {
		return 0, nil, ErrGarbage
	}
	payload = make([]byte, length)
	if _, err := io.ReadFull(r.from, payload); err != nil {
		return 0, nil, ErrGarbage
	}
	if binary.BigEndian.Uint32(head[3:]) != checksum(r.number, head[:3], payload) {
		return 0, nil, ErrGarbage
	}
	r.number++
	return head[0], payload, nil
}
