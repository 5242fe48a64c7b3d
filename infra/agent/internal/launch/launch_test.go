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

	"serverless-kubelet.local/agent/internal/accounts"
	"serverless-kubelet.local/agent/internal/fault"
	"serverless-kubelet.local/agent/internal/orders"
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

func TestUser(t *testing.T) {
	needRoot(t)
	spec := plain.With([]string{"cat", "/proc/self/status"})
	spec.User = &Credential{UID: 4321, GID: 1234, Groups: []int{1234, 77}}
	spec.NoNewPrivileges = true
	output, _, start := run(t, spec)
	if start != nil {
		t.Fatal(start)
	}
	for name, want := range map[string]string{
		"Uid": "4321 4321 4321 4321", "Gid": "1234 1234 1234 1234", "Groups": "77 1234", "NoNewPrivs": "1",
		"CapEff": "0000000000000000", "CapPrm": "0000000000000000", "CapAmb": "0000000000000000",
	} {
		if got := status(output, name); got != want {
			t.Errorf("%s: %s, not %s", name, got, want)
		}
	}
}

func TestCapabilities(t *testing.T) {
	needRoot(t)
	for _, row := range []struct {
		wanted orders.Capabilities
		want   string
	}{
		{orders.Capabilities{Drop: []string{"ALL"}}, "0000000000000000"},
		{orders.Capabilities{Drop: []string{"all"}, Add: []string{"NET_BIND_SERVICE"}}, "0000000000000400"},
		{orders.Capabilities{Drop: []string{"ALL"}, Add: []string{"CAP_CHOWN", "kill"}}, "0000000000000021"},
	} {
		capabilities, err := capabilitiesOf(&row.wanted)
		if err != nil {
			t.Fatal(err)
		}
		spec := plain.With([]string{"cat", "/proc/self/status"})
		spec.Capabilities = capabilities
		output, _, start := run(t, spec)
		if start != nil {
			t.Fatal(start)
		}
		for _, name := range []string{"CapBnd", "CapEff", "CapPrm"} {
			if got := status(output, name); got != row.want {
				t.Errorf("%+v: %s %s, not %s", row.wanted, name, got, row.want)
			}
		}
	}
	for _, wanted := range []orders.Capabilities{{Add: []string{"ALL"}}, {Drop: []string{"NONSENSE"}}, {Add: []string{"NONSENSE"}}} {
		if _, err := capabilitiesOf(&wanted); err == nil {
			t.Errorf("%+v is taken", wanted)
		}
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

func TestWantedCredential(t *testing.T) {
	number := func(value int) *int { return &value }
	find := func(uid int) (accounts.User, []int, bool) {
		return accounts.User{Name: "web", UID: 1000, GID: 1001, Home: "/srv"}, []int{4}, uid == 1000
	}
	current := Credential{UID: 0, GID: 0, Groups: []int{0, 1}}
	for _, row := range []struct {
		user orders.User
		want Credential
	}{
		{orders.User{UID: number(1000)}, Credential{1000, 1001, []int{1001, 4}}},
		{orders.User{UID: number(1000), Strict: true}, Credential{1000, 1001, []int{1001}}},
		{orders.User{UID: number(1000), GID: number(5), Groups: []int{9, 4}}, Credential{1000, 5, []int{5, 4, 9}}},
		{orders.User{UID: number(7)}, Credential{7, 0, []int{0}}},
		{orders.User{GID: number(5)}, Credential{0, 5, []int{5, 0, 1}}},
		{orders.User{Groups: []int{9}}, Credential{0, 0, []int{0, 1, 9}}},
	} {
		if got := wantedCredential(&row.user, current, find); got.UID != row.want.UID || got.GID != row.want.GID || !slices.Equal(got.Groups, row.want.Groups) {
			t.Errorf("%+v: %+v, not %+v", row.user, got, row.want)
		}
	}
}

func TestPrepare(t *testing.T) {
	program := orders.Program{
		Argv:       []orders.Text{{Value: "$(A)"}, {Value: "$(A)/$(B)", Template: true}},
		Env:        []orders.Variable{{Name: "A", Value: orders.Text{Value: "1"}}},
		WorkingDir: orders.Text{Value: "/w/$(A)", Template: true},
		SetHome:    true,
	}
	got, start := Prepare(&program, []string{"HOME=/x", "B=2"})
	if start != nil || !slices.Equal(got.Argv, []string{"$(A)", "1/$(B)"}) || got.Dir != "/w/1" {
		t.Errorf("%+v, %v", got, start)
	}
	if os.Geteuid() == 0 && !slices.Equal(got.Env, []string{"HOME=/root", "B=2", "A=1"}) {
		t.Errorf("%q", got.Env)
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
