package lookpath

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"serverless-kubelet.local/agent/internal/fault"
)

func put(t *testing.T, file string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("#!/bin/true\n"), mode); err != nil {
		t.Fatal(err)
	}
}

func TestFind(t *testing.T) {
	root := t.TempDir()
	t.Chdir(root)
	put(t, "a/run", 0o755)
	put(t, "b/run", 0o755)
	put(t, "b/plain", 0o644)
	put(t, "c/plain", 0o755)
	put(t, "here", 0o755)
	if err := os.Mkdir("a/folder", 0o755); err != nil {
		t.Fatal(err)
	}
	a, b, c := root+"/a", root+"/b", root+"/c"
	for _, row := range []struct{ command, path, want string }{
		{"run", a + ":" + b, a + "/run"},
		{"run", "/none:" + b, b + "/run"},
		{"run", b + "/", b + "/run"},
		{"plain", b + ":" + c, c + "/plain"},
		{"here", a + "::" + b, "./here"},
		{"run", "a", "a/run"},
		{"./here", a, "./here"},
		{"a/run", "", "a/run"},
		{a + "/run", "", a + "/run"},
	} {
		if got, err := Find(row.command, row.path); err != nil || got != row.want {
			t.Errorf("%s in %s: %q, %v", row.command, row.path, got, err)
		}
	}
	for _, row := range []struct {
		command, path string
		code          int
		words         string
	}{
		{"none", a, fault.NotFound, `exec: "none": executable file not found in $PATH`},
		{"", a, fault.NotFound, "executable file not found"},
		{"here", a, fault.NotFound, "executable file not found"},
		{"plain", b, fault.NotExecutable, `exec: "plain": permission denied`},
		{"folder", a, fault.NotExecutable, `exec: "folder": is a directory`},
		{"a/none", "", fault.NotFound, `exec: "a/none": stat a/none: no such file or directory`},
		{"here/none", "", fault.NotFound, "no such file or directory"},
		{"/", "", fault.NotExecutable, "is a directory"},
		{"b/plain", "", fault.NotExecutable, `exec: "b/plain": permission denied`},
	} {
		got, err := Find(row.command, row.path)
		if err == nil || err.Code != row.code || !strings.Contains(err.Message, row.words) {
			t.Errorf("%s in %s: %q, %+v", row.command, row.path, got, err)
		}
	}
}

func TestFailure(t *testing.T) {
	for err, code := range map[error]int{unix.ENOENT: 127, unix.EACCES: 126, unix.ENOEXEC: 126, unix.E2BIG: 126, unix.ELOOP: 126} {
		if got := Failure("x", err); got.Code != code {
			t.Errorf("%v: %+v", err, got)
		}
	}
	if got := Failure("x", unix.ENOEXEC).Message; got != `exec: "x": exec format error` {
		t.Error(got)
	}
}

func FuzzFind(f *testing.F) {
	f.Add("sh", "/bin:")
	f.Add("./x", "")
	f.Fuzz(func(t *testing.T, command, path string) {
		if strings.Contains(command, "\x00") || strings.Contains(path, "\x00") {
			return
		}
		file, err := Find(command, path)
		if (err == nil) != (file != "") {
			t.Fatalf("%q, %v", file, err)
		}
		if err == nil && !strings.Contains(file, "/") {
			t.Fatalf("%q would be searched again", file)
		}
	})
}
