package statedir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var stamp = regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z `)

// before is the kept log without its instants; each line must have had one.
func before(t *testing.T, root string) string {
	t.Helper()
	log, err := LogBefore(root, "web")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	data, err := io.ReadAll(log)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	if stamps, lines := len(stamp.FindAllString(text, -1)), strings.Count(text, "\n"); stamps != lines {
		t.Fatalf("%d instants, %d lines: %.200q", stamps, lines, text)
	}
	return stamp.ReplaceAllString(text, "")
}

func write(t *testing.T, to io.Writer, text string) {
	t.Helper()
	if n, err := to.Write([]byte(text)); n != len(text) || err != nil {
		t.Fatal(n, err)
	}
}

func TestLogOfTheRunBefore(t *testing.T) {
	root := t.TempDir()
	own, _ := open(t, root, "web")
	if _, err := LogBefore(root, "web"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	first := own.BeginLog()
	out, errs := first.Stream(), first.Stream()
	write(t, out, "one\ntw")
	write(t, errs, "oops\n")
	write(t, out, "o\n\nlast")
	first.Close()
	write(t, out, "too late\n")
	if _, err := LogBefore(root, "web"); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the present run's is not the one before's", err)
	}
	second := own.BeginLog()
	if got, want := before(t, root), "one\noops\ntwo\n\nlast\n"; got != want {
		t.Errorf("%q", got)
	}
	// Killed before it could close.
	write(t, second.Stream(), "second\nlost")
	own.BeginLog()
	if got := before(t, root); got != "second\n" {
		t.Errorf("%q", got)
	}
	own.BeginLog()
	if got := before(t, root); got != "" {
		t.Errorf("a silent run has an empty log, not that of the one before it: %q", got)
	}
}

func TestLogIsBounded(t *testing.T) {
	root := t.TempDir()
	own, _ := open(t, root, "web")
	log := own.BeginLog()
	out := log.Stream()
	line := strings.Repeat("x", 1000)
	for number := range 5000 {
		write(t, out, fmt.Sprintf("%d %s\n", number, line))
	}
	write(t, out, strings.Repeat("y", 3*maxLogLine))
	log.Close()
	own.BeginLog()
	got := before(t, root)
	if len(got) > 2*maxLogFile || len(got) < maxLogFile*3/4 || !strings.Contains(got, "\n4999 x") || !strings.HasSuffix(got, "yyy\n") {
		t.Errorf("%d bytes, %.20q … %q", len(got), got, got[len(got)-20:])
	}
	// A long run is followed by a short one.
	write(t, own.BeginLog().Stream(), "short\n")
	own.BeginLog()
	if got := before(t, root); got != "short\n" {
		t.Errorf("%.50q", got)
	}
}

func TestLogInPreparedPlaces(t *testing.T) {
	root := t.TempDir()
	own, _ := open(t, root, "web")
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("2026-01-01T00:00:00.000000000Z key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(root, "c", "web", logFile)
	if err := os.Symlink(secret, at); err != nil {
		t.Fatal(err)
	}
	log := own.BeginLog()
	write(t, log.Stream(), "mine\n")
	if data, err := os.ReadFile(secret); err != nil || !strings.HasSuffix(string(data), "key\n") {
		t.Errorf("%q %v", data, err)
	}
	if _, err := LogBefore(root, "web"); err == nil {
		t.Error("a link is no log")
	}
}

func TestLogThatCanNotBeKept(t *testing.T) {
	root := t.TempDir()
	own, _ := open(t, root, "web")
	if err := os.RemoveAll(filepath.Join(root, "c")); err != nil {
		t.Fatal(err)
	}
	log := own.BeginLog()
	write(t, log.Stream(), "nowhere\n")
	log.Close()
}

func TestLogsAreForgotten(t *testing.T) {
	root := t.TempDir()
	own, _ := open(t, root, "web")
	write(t, own.BeginLog().Stream(), "old\n")
	own.BeginLog()
	if err := own.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Create(root, map[string]*int{"web": nil}); err != nil {
		t.Fatal(err)
	}
	if _, err := LogBefore(root, "web"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
