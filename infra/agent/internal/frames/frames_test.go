package frames

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"math/rand"
	"testing"
	"testing/iotest"
)

type frame struct {
	tag     byte
	payload []byte
}

func written(t testing.TB, list []frame) []byte {
	t.Helper()
	var out bytes.Buffer
	writer := NewWriter(&out)
	for _, one := range list {
		if err := writer.Write(one.tag, one.payload); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

// readAll is what comes before the stream ends, and how it ends.
func readAll(from io.Reader) (list []frame, err error) {
	reader := NewReader(bufio.NewReader(from))
	for {
		tag, payload, err := reader.Next()
		if err != nil {
			return list, err
		}
		list = append(list, frame{tag, payload})
	}
}

func equal(a, b []frame) bool {
	if len(a) != len(b) {
		return false
	}
	for index := range a {
		if a[index].tag != b[index].tag || !bytes.Equal(a[index].payload, b[index].payload) {
			return false
		}
	}
	return true
}

var some = []frame{
	{Input, []byte("ls\n")}, {EndInput, nil}, {Output, bytes.Repeat([]byte{0, 255, '\r', '\n'}, MaxPayload/4)}, {Exit, []byte(`{"exitCode":0}`)},
}

func TestOnTheWire(t *testing.T) {
	if got := hex.EncodeToString(written(t, []frame{{Input, []byte("ls\n")}, {EndInput, nil}})); got != "4900037c626d536c730a"+"4500005381f730" {
		t.Error(got)
	}
}

func TestCutAnywhere(t *testing.T) {
	text := written(t, some)
	for _, from := range []io.Reader{bytes.NewReader(text), iotest.OneByteReader(bytes.NewReader(text)), iotest.HalfReader(bytes.NewReader(text))} {
		if list, err := readAll(from); !equal(list, some) || !errors.Is(err, io.EOF) {
			t.Errorf("%d frames, %v", len(list), err)
		}
	}
}

func TestTooLong(t *testing.T) {
	if err := NewWriter(io.Discard).Write(Output, make([]byte, MaxPayload+1)); err == nil {
		t.Error("written")
	}
}

// What is lost, doubled, moved or changed is found, and nothing behind it is read.
func TestDamage(t *testing.T) {
	text := written(t, []frame{{Input, []byte("first")}, {Input, []byte("second")}, {Input, []byte("third")}})
	const size = headBytes + 5
	damaged := map[string][]byte{
		"a byte less":      append(bytes.Clone(text[:3]), text[4:]...),
		"a byte more":      append(append(bytes.Clone(text[:9]), 'x'), text[9:]...),
		"a frame less":     bytes.Clone(text[size:]),
		"a frame twice":    append(bytes.Clone(text[:size]), text...),
		"another length":   append([]byte{text[0], 0xff, 0xff}, text[3:]...),
		"the end cut off":  bytes.Clone(text[:len(text)-1]),
		"another tag":      append([]byte{'O'}, text[1:]...),
		"plain text":       []byte("sh: not found\r\n"),
		"nothing but head": text[:4],
	}
	for name, bad := range damaged {
		list, err := readAll(bytes.NewReader(bad))
		if !errors.Is(err, ErrGarbage) {
			t.Errorf("%s: %d frames, %v", name, len(list), err)
		}
		for index, one := range list {
			if string(one.payload) != []string{"first", "second", "third"}[index] {
				t.Errorf("%s: %q taken for data", name, one.payload)
			}
		}
	}
	random := rand.New(rand.NewSource(1))
	for range 10_000 {
		bad := bytes.Clone(text)
		bad[random.Intn(len(bad))] ^= byte(1 + random.Intn(255))
		if list, err := readAll(bytes.NewReader(bad)); errors.Is(err, io.EOF) && len(list) == 3 {
			t.Fatal("a changed byte passed")
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("IK"), written(f, some[:2]))
	f.Fuzz(func(t *testing.T, tags, stream []byte) {
		// Garbage never is more than an error.
		if list, err := readAll(bytes.NewReader(stream)); err == nil || len(list) > len(stream) {
			t.Fatal(len(list), err)
		}
		// What is written is read.
		var list []frame
		for index, tag := range tags {
			list = append(list, frame{tag, stream[:min(index*7, len(stream), MaxPayload)]})
		}
		if got, err := readAll(bytes.NewReader(written(t, list))); !equal(got, list) || !errors.Is(err, io.EOF) {
			t.Fatal(len(got), err)
		}
	})
}
