package launch

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"serverless-kubelet.local/agent/internal/fault"
	"serverless-kubelet.local/agent/internal/reap"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == ChildCommand {
		os.Exit(Child())
	}
	reaper = reap.New(context.Background())
	os.Exit(m.Run())
}

// One in a process, or they take each other's children.
var reaper *reap.Reaper

var plain = Spec{Env: []string{"PATH=/usr/bin:/bin", "A=b"}}

// run is what a process wrote, and how it ended.
func run(t *testing.T, spec Spec) (string, reap.Exit, *fault.Start) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	process, start := Start(reaper, spec, Options{Files: [3]*os.File{null, writer, writer}})
	writer.Close()
	if start != nil {
		return "", reap.Exit{}, start
	}
	output, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case exit := <-process.Exited:
		return string(output), exit, nil
	case <-time.After(10 * time.Second):
		t.Fatal("it does not end")
		return "", reap.Exit{}, nil
	}
}

// status is a line of /proc/self/status.
func status(text, name string) string {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.Join(strings.Fields(rest), " ")
		}
	}
	return "none"
}

// inherited is the descriptors above 2 that whoever started the test has left to all.
func inherited(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, entry := range entries {
		number, err := strconv.Atoi(entry.Name())
		if err != nil || number < 3 {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(number), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			list = append(list, entry.Name())
		}
	}
	return list
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}

func TestNothingIsAdded(t *testing.T) {
	output, exit, start := run(t, plain.With([]string{"sh", "-c", `echo "$0|$A|$(env | grep -v -e '^_=' -e '^PWD=' -e '^SHLVL=' -e '^OLDPWD=' | sort)"`}))
	if start != nil || exit.Code() != 0 || output != "sh|b|A=b\nPATH=/usr/bin:/bin\n" {
		t.Errorf("%q, %v, %v", output, exit, start)
	}
	output, _, start = run(t, plain.With([]string{"ls", "/proc/self/fd"}))
	if start != nil || !slices.Equal(strings.Fields(output), slices.Sorted(slices.Values(append(inherited(t), "0", "1", "2", "3")))) {
		// 3 is the folder that ls reads.
		t.Errorf("%q, beside %q, %v", output, inherited(t), start)
	}
	// argv[0] is the orders', whatever file is found.
	output, _, start = run(t, plain.With([]string{"cat", "/proc/self/cmdline"}))
	if start != nil || output != "cat\x00/proc/self/cmdline\x00" {
		t.Errorf("%q, %v", output, start)
	}
}

func TestSignalsAndLimitsAreAsBefore(t *testing.T) {
	own, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	output, _, start := run(t, plain.With([]string{"cat", "/proc/self/status", "/proc/self/limits"}))
	if start != nil {
		t.Fatal(start)
	}
	// The mask of a thread of Go is no process's.
	if got := status(output, "SigBlk"); got != "0000000000000000" {
		t.Errorf("SigBlk: %s", got)
	}
	for _, name := range []string{"SigIgn", "CapBnd", "CapInh", "NoNewPrivs", "Seccomp"} {
		if got, want := status(output, name), status(string(own), name); got != want {
			t.Errorf("%s: %s, not %s", name, got, want)
		}
	}
	var limit unix.Rlimit
	// Go raises the soft limit for itself; what the shell that started the test had is in its parent.
	if err := unix.Prlimit(os.Getppid(), unix.RLIMIT_NOFILE, nil, &limit); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(output) {
		if fields := strings.Fields(line); strings.HasPrefix(line, "Max open files") && fields[3] != fmt.Sprint(limit.Cur) {
			t.Errorf("%s, not %d", line, limit.Cur)
		}
	}
}

func TestGroupAndSession(t *testing.T) {
	output, _, start := run(t, plain.With([]string{"cat", "/proc/self/stat"}))
	fields := strings.Fields(output)
	if start != nil || fields[0] != fields[4] || fields[0] != fields[5] || fields[6] != "0" {
		t.Errorf("not the leader of a session without a terminal: %v, %v", output, start)
	}
}

func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	spec := plain.With([]string{"pwd"})
	spec.Dir = dir
	if output, _, start := run(t, spec); start != nil || output != dir+"\n" {
		t.Errorf("%q, %v", output, start)
	}
	// What is relative is searched for from there.
	if err := os.WriteFile(filepath.Join(dir, "tool"), []byte("#!/bin/sh\necho $0\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	spec = spec.With([]string{"./tool"})
	if output, _, start := run(t, spec); start != nil || output != "./tool\n" {
		t.Errorf("%q, %v", output, start)
	}
	spec.Dir = filepath.Join(dir, "tool")
	if _, _, start := run(t, spec); start == nil || start.Code != fault.Own || !strings.Contains(start.Message, "workingDir: ") {
		t.Errorf("%v", start)
	}
}

func TestWhatDoesNotStart(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("not a program"), 0o755); err != nil {
		t.Fatal(err)
	}
	orphan := filepath.Join(dir, "orphan")
	if err := os.WriteFile(orphan, []byte("#!/none/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		argv    []string
		code    int
		message string
	}{
		{[]string{"nope"}, 127, `exec: "nope": executable file not found in $PATH`},
		{[]string{"/nope"}, 127, `exec: "/nope": stat /nope: no such file or directory`},
		{[]string{dir}, 126, `is a directory`},
		{[]string{text}, 126, `exec format error`},
		{[]string{orphan}, 127, `no such file or directory`},
		{[]string{"sh", strings.Repeat("x", 1<<18)}, 126, `argument list too long`},
	} {
		if _, _, start := run(t, plain.With(row.argv)); start == nil || start.Code != row.code || !strings.Contains(start.Message, row.message) {
			t.Errorf("%.20q: %+v", row.argv, start)
		}
	}
}

func TestCodes(t *testing.T) {
	for script, want := range map[string][2]int{"exit 7": {7, 0}, "kill -KILL $$": {137, 9}, "kill -TERM $$": {143, 15}} {
		_, exit, start := run(t, plain.With([]string{"sh", "-c", script}))
		if start != nil || exit.Code() != want[0] || exit.Signal() != want[1] {
			t.Errorf("%s: %v, %v", script, exit, start)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	errs := make(chan error, 20)
	for index := range cap(errs) {
		go func() {
			process, start := Start(reaper, plain.With([]string{"sh", "-c", fmt.Sprintf("exit %d", index)}), Options{Files: [3]*os.File{null, null, null}})
			if start != nil {
				errs <- start
				return
			}
			if exit := <-process.Exited; exit.Code() != index {
				errs <- fmt.Errorf("%d ended with %d", index, exit.Code())
				return
			}
			errs <- nil
		}()
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestChildWithoutParent(t *testing.T) {
	if start := answer(bytes.NewReader([]byte("garbage"))); start == nil || start.Code != fault.Own {
		t.Error(start)
	}
}
