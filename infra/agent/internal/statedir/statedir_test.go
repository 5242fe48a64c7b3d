package statedir

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func number(value int) *int { return &value }

func open(t *testing.T, root, name string) (*Own, Record) {
	t.Helper()
	own, record, err := Open(root, name)
	if err != nil {
		t.Fatal(err)
	}
	return own, record
}

func TestRecordsAndLocks(t *testing.T) {
	root := t.TempDir()
	if err := Create(root, map[string]*int{"web": number(os.Geteuid()), "db": nil}); err != nil {
		t.Fatal(err)
	}
	if peer := Look(root, "web"); peer.Known || peer.Lives {
		t.Errorf("%+v", peer)
	}
	own, before := open(t, root, "web")
	if before.BootID != "" {
		t.Errorf("%+v", before)
	}
	if err := own.Write(Record{BootID: "b", Started: true, Ended: &Ended{ExitCode: 3}}); err != nil {
		t.Fatal(err)
	}
	if peer := Look(root, "web"); !peer.Known || !peer.Lives || !peer.Started || peer.Ended.ExitCode != 3 {
		t.Errorf("%+v", peer)
	}
	if _, _, err := Open(root, "web"); err == nil {
		t.Error("two agents of one container")
	}
	own.lock.Close()
	if peer := Look(root, "web"); !peer.Known || peer.Lives {
		t.Errorf("%+v", peer)
	}
	if _, before := open(t, root, "web"); before.BootID != "b" {
		t.Errorf("%+v", before)
	}
}

func TestCreate(t *testing.T) {
	root := t.TempDir()
	owners := map[string]*int{"web": number(os.Geteuid()), "db": nil}
	if err := Create(root, owners); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{"web": 0o755, "db": 0o777} {
		info, err := os.Stat(filepath.Join(root, "c", name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	web, _ := open(t, root, "web")
	db, _ := open(t, root, "db")
	for _, own := range []*Own{web, db} {
		if err := own.Write(Record{BootID: "b", Final: true}); err != nil {
			t.Fatal(err)
		}
	}
	db.lock.Close()
	if err := Create(root, owners); err != nil || !Look(root, "db").Known || !Look(root, "web").Known {
		t.Error("a living group forgot what its containers go by", err)
	}
	web.lock.Close()
	if err := Create(root, owners); err != nil || Look(root, "db").Known || Look(root, "web").Known {
		t.Error("a group that starts again goes by the one before", err)
	}
}

func TestGarbageIsNotKnown(t *testing.T) {
	root := t.TempDir()
	own, _ := open(t, root, "web")
	for _, text := range []string{"", "{", `{"restarts":"x"}`} {
		if err := os.WriteFile(filepath.Join(own.path, stateFile), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if Look(root, "web").Known {
			t.Errorf("%q", text)
		}
	}
	// Nor does a pipe in its place hold anybody up.
	for _, name := range []string{stateFile, lockFile} {
		if err := os.Remove(filepath.Join(own.path, name)); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(filepath.Join(own.path, name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if peer := Look(root, "web"); peer.Known || peer.Lives {
		t.Errorf("%+v", peer)
	}
}

func TestNowhereToWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	own, _, err := Open(file, "web")
	if !errors.Is(err, syscall.ENOTDIR) {
		t.Error(err)
	}
	if err := own.Write(Record{}); err == nil {
		t.Error("written nowhere")
	}
}

func TestAwait(t *testing.T) {
	root := t.TempDir()
	started := func(peers map[string]Peer) bool { return peers["a"].Started && peers["b"].Final }
	done := make(chan error, 1)
	begin := time.Now()
	go func() { done <- Await(t.Context(), root, []string{"a", "b"}, started) }()
	time.Sleep(50 * time.Millisecond)
	// The folders come after the one who waits.
	a, _ := open(t, root, "a")
	b, _ := open(t, root, "b")
	if err := a.Write(Record{Started: true}); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		t.Fatal("too early", err)
	case <-time.After(50 * time.Millisecond):
	}
	if err := b.Write(Record{Final: true}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil || time.Since(begin) > lookEvery/2 {
		t.Error(err, time.Since(begin))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	never := func(map[string]Peer) bool { return false }
	if err := Await(ctx, root, []string{"a"}, never); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestNewBootID(t *testing.T) {
	now := time.UnixMilli(0x019ad1c0ffee)
	first := NewBootID("", now)
	if first[:13] != "019ad1c0ffee-" || len(first) != 21 {
		t.Error(first)
	}
	for _, previous := range []string{first, NewBootID("", now.Add(time.Hour)), NewBootID(first, now)} {
		if next := NewBootID(previous, now); next <= previous {
			t.Errorf("%s after %s", next, previous)
		}
	}
	for _, garbage := range []string{"x", "-", "zz-1", "ffff"} {
		if next := NewBootID(garbage, now); next[:12] != "019ad1c0ffee" {
			t.Errorf("%s after %q", next, garbage)
		}
	}
}

func TestCrash(t *testing.T) {
	own, _ := open(t, t.TempDir(), "web")
	file, before := own.Crash()
	if file == nil || before != "" {
		t.Fatal(before)
	}
	if _, err := file.WriteString("fatal error"); err != nil {
		t.Fatal(err)
	}
	file.Close()
	if file, before = own.Crash(); before != "fatal error" {
		t.Error(before)
	}
	file.Close()
	if _, before = own.Crash(); before != "" {
		t.Error("reported twice:", before)
	}
}
