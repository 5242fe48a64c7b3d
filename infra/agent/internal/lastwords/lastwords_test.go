package lastwords

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func newFile(t *testing.T) (*File, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dev", "termination-log")
	file, err := NewFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return file, path
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFile(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "",
		"OK":                               "OK",
		"line\n":                           "line\n",
		strings.Repeat("a", 5000) + "end":  strings.Repeat("a", 4093) + "end",
		"\xff\xfe":                         "\uFFFD",
		strings.Repeat("b", 4095) + "\xc3": strings.Repeat("b", 4095) + "\uFFFD",
	} {
		file, path := newFile(t)
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o444 != 0o444 {
			t.Error(info, err)
		}
		write(t, path, text)
		if got, err := file.Read(os.Geteuid()); err != nil || got != want {
			t.Errorf("%.20q: %.20q, %v", text, got, err)
		}
	}
}

func TestRunBeforeIsForgotten(t *testing.T) {
	_, path := newFile(t)
	write(t, path, "of the run before")
	file, err := NewFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := file.Read(os.Geteuid()); err != nil || got != "" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestFileInItsPlace(t *testing.T) {
	file, path := newFile(t)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	write(t, path, "new")
	if got, err := file.Read(os.Geteuid()); err != nil || got != "new" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestNoLinkLeadsAway(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "orders")
	write(t, secret, "key")
	for name, replace := range map[string]func(path string) error{
		"a link":               func(path string) error { return os.Symlink(secret, path) },
		"a hard link":          func(path string) error { return os.Link(secret, path) },
		"a link above":         func(path string) error { return linkAbove(t, path) },
		"a pipe":               func(path string) error { return syscall.Mkfifo(path, 0o666) },
		"nothing":              func(string) error { return nil },
		"a folder":             func(path string) error { return os.Mkdir(path, 0o755) },
		"a file of another":    func(path string) error { write(t, path, "key"); return os.Chown(path, 4321, -1) },
		"a device of all data": func(path string) error { return os.Symlink("/dev/zero", path) },
	} {
		if os.Geteuid() != 0 && name == "a file of another" {
			continue
		}
		file, path := newFile(t)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := replace(path); err != nil {
			t.Fatal(err)
		}
		if got, err := file.Read(os.Geteuid()); err == nil || got != "" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	// A link that is there before the program is no file either.
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(secret, link); err != nil {
		t.Fatal(err)
	}
	if _, err := NewFile(link); err == nil {
		t.Error("a link was emptied")
	}
}

func linkAbove(t *testing.T, path string) error {
	dir := t.TempDir()
	write(t, filepath.Join(dir, filepath.Base(path)), "key")
	if err := os.Remove(filepath.Dir(path)); err != nil {
		return err
	}
	return os.Symlink(dir, filepath.Dir(path))
}

func TestOutput(t *testing.T) {
	lines := func(from, to int) string {
		var text strings.Builder
		for number := from; number < to; number++ {
			fmt.Fprintf(&text, "line %d\n", number)
		}
		return text.String()
	}
	for text, want := range map[string]string{
		"":                       "",
		"DONE":                   "DONE",
		"a\nb\n":                 "a\nb\n",
		lines(0, 80):             lines(0, 80),
		lines(0, 100):            lines(20, 100),
		lines(0, 100) + "x":      lines(21, 100) + "x",
		strings.Repeat("a", 1e4): strings.Repeat("a", 2048),
	} {
		for _, piece := range []int{1, 7, 1 << 20} {
			output := &Output{}
			for rest := text; rest != ""; {
				n := min(piece, len(rest))
				if got, err := output.Write([]byte(rest[:n])); got != n || err != nil {
					t.Fatal(got, err)
				}
				rest = rest[n:]
			}
			if got := output.Text(); got != want {
				t.Errorf("%.20q in pieces of %d: %.20q", text, piece, got)
			}
		}
	}
}
