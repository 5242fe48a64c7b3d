package lastwords

import (
	"bytes"
	"strings"
	"sync"
)

// Output keeps the end of what passes through it.
type Output struct {
	mu   sync.Mutex
	kept []byte
}

// Write never fails.
func (o *Output) Write(data []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.kept = append(o.kept, data[max(0, len(data)-maxOutput):]...)
	if extra := len(o.kept) - maxOutput; extra > 0 {
		o.kept = append(o.kept[:0], o.kept[extra:]...)
	}
	return len(data), nil
}

// Text is the last lines.
func (o *Output) Text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	text := o.kept
	end := len(text)
	if end > 0 && text[end-1] == '\n' {
		end--
	}
	for range maxLines {
		at := bytes.LastIndexByte(text[:end], '\n')
		if at < 0 {
			return strings.ToValidUTF8(string(text), "\uFFFD")
		}
		end = at
	}
	return strings.ToValidUTF8(string(text[end+1:]), "\uFFFD")
}
