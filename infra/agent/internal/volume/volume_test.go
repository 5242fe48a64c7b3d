package volume

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"serverless-kubelet.local/agent/internal/orders"
)

func number(value int) *int { return &value }

func fill(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// seen is what a program finds: each path with its mode and content, links followed.
func seen(t *testing.T, dir string) []string {
	t.Helper()
	var list []string
	var visit func(prefix string)
	visit = func(prefix string) {
		entries, err := os.ReadDir(filepath.Join(dir, prefix))
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			name := filepath.Join(prefix, entry.Name())
			info, err := os.Stat(filepath.Join(dir, name))
			if err != nil || strings.HasPrefix(entry.Name(), "..") {
				list = append(list, strings.SplitN(name, "_", 2)[0])
				continue
			}
			if info.IsDir() {
				visit(name)
				continue
			}
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, fmt.Sprintf("%s %o %s", name, info.Mode().Perm(), data))
		}
	}
	visit(".")
	return list
}

// raw is everything as it is, to compare two runs.
func raw(t *testing.T, dir string) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var stat syscall.Stat_t
		if err := syscall.Lstat(name, &stat); err != nil {
			return err
		}
		list = append(list, fmt.Sprint(name, stat.Mode, stat.Uid, stat.Gid, stat.Ino, stat.Size))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestApply(t *testing.T) {
	year := fmt.Sprintf("..%d", time.Now().UTC().Year())
	for _, row := range []struct {
		name   string
		flat   map[string]string
		volume orders.Volume
		want   []string
	}{
		{"modes where the files are", map[string]string{"a": "1", "b": "2"},
			orders.Volume{Files: []orders.File{{From: "a", Path: "a", Mode: 0o400}, {From: "b", Path: "b", Mode: 0o777}}},
			[]string{"a 400 1", "b 777 2"}},
		{"other names", map[string]string{"f0": "1", "f1": "2"},
			orders.Volume{Layout: "flat", Files: []orders.File{{From: "f0", Path: "key", Mode: 0o440}, {From: "f1", Path: "..x", Mode: 0o644}}},
			[]string{"..x", "key 440 1"}},
		{"a kubelet's tree", map[string]string{"f0": "1", "f1": "2", "a": "3"},
			orders.Volume{Layout: "data", Files: []orders.File{{From: "f0", Path: "conf.d/x/one", Mode: 0o400}, {From: "f1", Path: "conf.d/two", Mode: 0o644}, {From: "a", Path: "a", Mode: 0o600}}},
			[]string{year, "..data", "a 600 3", "conf.d/two 644 2", "conf.d/x/one 400 1"}},
		{"names that change places", map[string]string{"a": "1", "b": "2"},
			orders.Volume{Layout: "data", Files: []orders.File{{From: "a", Path: "b", Mode: 0o644}, {From: "b", Path: "a", Mode: 0o644}}},
			[]string{year, "..data", "a 644 2", "b 644 1"}},
		{"an empty tree", nil, orders.Volume{Layout: "data"}, []string{year, "..data"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			fill(t, dir, row.flat)
			row.volume.Name, row.volume.Path = "v", dir
			if err := Apply(row.volume); err != nil {
				t.Fatal(err)
			}
			if got := seen(t, dir); !slices.Equal(got, row.want) {
				t.Errorf("%q, not %q", got, row.want)
			}
			before := raw(t, dir)
			if err := Apply(row.volume); err != nil {
				t.Fatal(err)
			}
			if after := raw(t, dir); !slices.Equal(before, after) {
				t.Errorf("the second run changed something:\n%q\n%q", before, after)
			}
			// A platform that fills the volume again brings nothing back.
			if row.volume.Layout == "data" {
				fill(t, dir, map[string]string{"f0": "old"})
				if err := Apply(row.volume); err != nil {
					t.Fatal(err)
				}
				if got := seen(t, dir); len(row.volume.Files) == 3 && !slices.Equal(got, row.want) {
					t.Errorf("filled again: %q", got)
				}
			}
		})
	}
}

func TestOtherSource(t *testing.T) {
	source, dir := t.TempDir(), t.TempDir()
	fill(t, source, map[string]string{"f0": "1"})
	for _, layout := range []string{"flat", "data"} {
		name := "in-" + layout
		volume := orders.Volume{Name: "v", Path: dir, Source: source, Layout: layout, Files: []orders.File{{From: "f0", Path: name, Mode: 0o600}}}
		if err := Apply(volume); err != nil {
			t.Fatal(err)
		}
		if got := seen(t, dir); !slices.Contains(got, name+" 600 1") {
			t.Errorf("%q", got)
		}
	}
	if got := seen(t, source); !slices.Equal(got, []string{"f0 644 1"}) {
		t.Errorf("the source changed: %q", got)
	}
}

func TestWhatIsMissing(t *testing.T) {
	for _, layout := range []string{"flat", "data"} {
		volume := orders.Volume{Name: "conf", Path: t.TempDir(), Layout: layout, Files: []orders.File{{From: "f0", Path: "a", Mode: 0o600}}}
		if err := Apply(volume); err == nil || !strings.HasPrefix(err.Error(), "volume conf: ") {
			t.Error(err)
		}
		if got := seen(t, volume.Path); len(got) != 0 {
			t.Errorf("left behind: %q", got)
		}
	}
}

func TestNoWayOut(t *testing.T) {
	outside := t.TempDir()
	fill(t, outside, map[string]string{"secret": "1"})
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(outside, "secret"), filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "b")); err != nil {
		t.Fatal(err)
	}
	volume := orders.Volume{Name: "v", Path: dir, FSGroup: number(4242), Files: []orders.File{{From: "a", Path: "a", Mode: 0o777}}}
	if err := Apply(volume); err == nil {
		t.Error("a mode went through a link")
	}
	volume.Files = nil
	if err := Apply(volume); os.Geteuid() == 0 && err != nil {
		t.Error(err)
	}
	info, err := os.Stat(filepath.Join(outside, "secret"))
	if err != nil {
		t.Fatal(err)
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || info.Mode().Perm() != 0o644 || stat.Gid == 4242 {
		t.Errorf("what is outside changed: %v", info.Mode())
	}
}

func TestGroup(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	dir := t.TempDir()
	fill(t, dir, map[string]string{"f0": "1"})
	volume := orders.Volume{Name: "v", Path: dir, Layout: "data", ReadOnly: true, UID: number(77), FSGroup: number(4242),
		Files: []orders.File{{From: "f0", Path: "d/key", Mode: 0o400}}}
	if err := Apply(volume); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{"d/key": 0o440, "d": fs.ModeDir | fs.ModeSetgid | 0o755, ".": fs.ModeDir | fs.ModeSetgid | 0o755} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); !ok || info.Mode() != want || stat.Uid != 77 || stat.Gid != 4242 {
			t.Errorf("%s: %v %d:%d", name, info.Mode(), stat.Uid, stat.Gid)
		}
	}
	// What a program has made of it since stays, when the container starts again.
	if err := os.Chmod(filepath.Join(dir, "d", "key"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := raw(t, dir)
	if err := Apply(volume); err != nil {
		t.Fatal(err)
	}
	if after := raw(t, dir); !slices.Equal(before, after) {
		t.Error("the second run changed something")
	}
}

func TestGroupMode(t *testing.T) {
	for _, row := range []struct {
		mode       fs.FileMode
		isReadOnly bool
		want       fs.FileMode
	}{
		{0o600, false, 0o660}, {0o400, true, 0o440}, {0o644, true, 0o644}, {0o755, false, 0o775},
		{fs.ModeDir | 0o777, false, fs.ModeSetgid | 0o777}, {fs.ModeDir | 0o700, true, fs.ModeSetgid | 0o750},
	} {
		if got := groupMode(row.mode, row.isReadOnly); got != row.want {
			t.Errorf("%v: %v, not %v", row.mode, got, row.want)
		}
	}
}

func TestNewVersion(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	write := func(files ...File) {
		t.Helper()
		if err := WriteVersion(root, files, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	write(File{"a", 0o644, []byte("1")}, File{"d/x", 0o644, []byte("1")})
	open, err := os.Open(filepath.Join(dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	write(File{"a", 0o600, []byte("2")}, File{"b/y", 0o644, []byte("2")})
	year := fmt.Sprintf("..%d", time.Now().UTC().Year())
	if got := seen(t, dir); !slices.Equal(got, []string{year, "..data", "a 600 2", "b/y 644 2"}) {
		t.Errorf("%q", got)
	}
	write()
	if got := seen(t, dir); !slices.Equal(got, []string{year, "..data"}) {
		t.Errorf("%q", got)
	}
	// What is not ours at the top stays.
	fill(t, dir, map[string]string{"own": "x"})
	write(File{"a", 0o644, []byte("3")})
	if got := seen(t, dir); !slices.Equal(got, []string{year, "..data", "a 644 3", "own 644 x"}) {
		t.Errorf("%q", got)
	}
}
