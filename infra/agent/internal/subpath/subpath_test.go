package subpath

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"serverless-kubelet.local/agent/internal/fault"
	"serverless-kubelet.local/agent/internal/orders"
)

type world struct{ root, volume string }

func newWorld(t *testing.T) world {
	t.Helper()
	root := t.TempDir()
	w := world{root, root + "/vol"}
	w.mkdir(t, "vol/folder/below")
	w.mkdir(t, "outside")
	w.write(t, "vol/app.conf", "x=1")
	w.write(t, "vol/folder/file", "inside")
	w.write(t, "outside/secret", "s")
	return w
}

func (w world) mkdir(t *testing.T, name string) {
	t.Helper()
	if err := os.MkdirAll(w.root+"/"+name, 0o755); err != nil {
		t.Fatal(err)
	}
}

func (w world) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(w.root+"/"+name, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
}

func (w world) link(t *testing.T, target, name string) {
	t.Helper()
	if err := os.Symlink(target, w.root+"/"+name); err != nil {
		t.Fatal(err)
	}
}

func (w world) read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(w.root + "/" + name)
	if err != nil {
		t.Error(err)
	}
	return string(data)
}

func (w world) apply(path, mountPath string, readOnly bool) *fault.Start {
	none := func(string) (string, bool) { return "", false }
	subPath := orders.SubPath{Name: "v", Volume: w.volume, Path: orders.Text{Value: path}, MountPath: w.root + "/" + mountPath, ReadOnly: readOnly}
	return Container{Name: "web", MayEmpty: true}.Apply(subPath, none)
}

func (w world) must(t *testing.T, path, mountPath string, readOnly bool) {
	t.Helper()
	for range 2 {
		if start := w.apply(path, mountPath, readOnly); start != nil {
			t.Fatal(start)
		}
	}
}

func isLink(name string) bool {
	_, err := os.Readlink(name)
	return err == nil
}

func TestFileIsCopied(t *testing.T) {
	w := newWorld(t)
	w.mkdir(t, "etc/app")
	w.write(t, "etc/app/neighbour", "n")
	w.write(t, "etc/app/app.conf", "of the image")
	w.must(t, "app.conf", "etc/app/app.conf", true)
	info, err := os.Lstat(w.root + "/etc/app/app.conf")
	if w.read(t, "etc/app/app.conf") != "x=1" || w.read(t, "etc/app/neighbour") != "n" || err != nil || info.Mode() != 0o640 {
		t.Errorf("%v, %v", info, err)
	}
	// It never follows its source.
	w.write(t, "vol/app.conf", "x=2")
	if w.read(t, "etc/app/app.conf") != "x=1" {
		t.Error("a link")
	}
	// But a new run has what is new.
	w.must(t, "./app.conf", "etc/app/app.conf", true)
	if w.read(t, "etc/app/app.conf") != "x=2" {
		t.Error("old")
	}
}

func TestFileToWriteIsLinked(t *testing.T) {
	w := newWorld(t)
	w.must(t, "app.conf", "data/new/app.conf", false)
	w.write(t, "data/new/app.conf", "written")
	if w.read(t, "vol/app.conf") != "written" {
		t.Error("it was lost")
	}
}

func TestFolderIsLinked(t *testing.T) {
	w := newWorld(t)
	w.mkdir(t, "tmp/of-the-image/deep")
	w.write(t, "tmp/old", "o")
	w.must(t, "folder", "tmp", false)
	w.write(t, "tmp/new", "n")
	if w.read(t, "vol/folder/new") != "n" || w.read(t, "tmp/file") != "inside" {
		t.Error("not the folder")
	}
	if _, err := os.Stat(w.root + "/tmp/old"); err == nil {
		t.Error("what a mount hides is seen")
	}
}

func TestWhatIsMissingHasTheModeOfTheVolume(t *testing.T) {
	before := syscall.Umask(0o077)
	defer syscall.Umask(before)
	for _, mode := range []os.FileMode{0o777, 0o750, 0o770 | os.ModeSetgid} {
		w := newWorld(t)
		if err := os.Chmod(w.volume, mode); err != nil {
			t.Fatal(err)
		}
		w.must(t, "new/below", "data", false)
		info, err := os.Stat(w.volume + "/new/below")
		if err != nil || info.Mode() != os.ModeDir|mode {
			t.Errorf("%v: %v, %v", mode, info.Mode(), err)
		}
	}
}

func TestWhatIsMissingBecomesAFolder(t *testing.T) {
	w := newWorld(t)
	w.must(t, "a/b", "data", false)
	w.write(t, "data/x", "1")
	if w.read(t, "vol/a/b/x") != "1" {
		t.Error("not in the volume")
	}
	w.must(t, "", "whole", false)
	if w.read(t, "whole/app.conf") != "x=1" {
		t.Error("not the volume")
	}
}

func TestLinksInside(t *testing.T) {
	w := newWorld(t)
	w.link(t, "folder", "vol/alias")
	w.must(t, "alias/file", "one", true)
	w.must(t, "alias", "two", false)
	if w.read(t, "one") != "inside" {
		t.Error("links that stay inside are followed")
	}
	// Whoever changes the link later changes nothing here.
	if err := os.Remove(w.volume + "/alias"); err != nil {
		t.Fatal(err)
	}
	w.link(t, w.root+"/outside", "vol/alias")
	if w.read(t, "two/file") != "inside" {
		t.Error("the link was followed later")
	}
}

func TestDataStaysLive(t *testing.T) {
	w := newWorld(t)
	w.mkdir(t, "vol/..2026/d")
	w.write(t, "vol/..2026/d/f", "1")
	w.link(t, "..2026", "vol/..data")
	w.link(t, "..data/d", "vol/d")
	w.must(t, "d", "there", false)
	if target, err := os.Readlink(w.root + "/there"); err != nil || target != w.volume+"/d" {
		t.Errorf("%s, %v: a version that goes away", target, err)
	}
}

func TestLinkOfTheImage(t *testing.T) {
	w := newWorld(t)
	w.mkdir(t, "run/real")
	w.link(t, "run/real", "var")
	w.must(t, "folder", "var", false)
	if w.read(t, "run/real/file") != "inside" || !isLink(w.root+"/run/real") {
		t.Error("a mount goes to where the link leads")
	}
}

func TestWaysOut(t *testing.T) {
	w := newWorld(t)
	w.link(t, "../outside", "vol/up")
	w.link(t, w.root+"/outside", "vol/absolute")
	w.link(t, "../outside/secret", "vol/file")
	w.link(t, "loop", "vol/loop")
	for path, why := range map[string]string{
		"..":                "leads out of the volume",
		"folder/../../x":    "leads out of the volume",
		"folder/..":         "leads out of the volume",
		"/etc":              "leads out of the volume",
		"up":                "path escapes",
		"up/secret":         "path escapes",
		"absolute":          "path escapes",
		"absolute/new":      "path escapes",
		"file":              "path escapes",
		"loop":              "too many levels",
		"app.conf/new":      "not a directory",
		"folder/file/../..": "leads out of the volume",
	} {
		for _, readOnly := range []bool{true, false} {
			start := w.apply(path, "mnt", readOnly)
			if start == nil || start.Reason != fault.CreateContainerConfigError || start.Code != fault.Own ||
				!strings.Contains(start.Message, why) ||
				!strings.HasPrefix(start.Message, `failed to prepare subPath for volumeMount "v" of container "web": `) {
				t.Errorf("%s: %v", path, start)
			}
		}
	}
	if entries, err := os.ReadDir(w.root + "/outside"); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
	if _, err := os.Lstat(w.root + "/mnt"); err == nil {
		t.Error("something was made")
	}
}

func TestFolderOntoFile(t *testing.T) {
	w := newWorld(t)
	w.write(t, "plain", "p")
	w.mkdir(t, "dir")
	for mountPath, path := range map[string]string{"plain": "folder", "dir": "app.conf"} {
		if start := w.apply(path, mountPath, true); start == nil || !strings.Contains(start.Message, "not a directory") {
			t.Errorf("%s: %v", mountPath, start)
		}
	}
}

func TestNotOurFileSystem(t *testing.T) {
	w := newWorld(t)
	w.mkdir(t, "full")
	w.write(t, "full/x", "x")
	none := func(string) (string, bool) { return "", false }
	subPath := orders.SubPath{Name: "v", Volume: w.volume, Path: orders.Text{Value: "folder"}, MountPath: w.root + "/full"}
	if start := (Container{Name: "web"}).Apply(subPath, none); start == nil || w.read(t, "full/x") != "x" {
		t.Error(start)
	}
}

func TestUnwritable(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	w := newWorld(t)
	for _, dir := range []string{"vol", "ro"} {
		w.mkdir(t, dir)
		if err := syscall.Mount("tmpfs", filepath.Join(w.root, dir), "tmpfs", syscall.MS_RDONLY, ""); err != nil {
			t.Skip(err)
		}
		defer func() {
			if err := syscall.Unmount(filepath.Join(w.root, dir), 0); err != nil {
				t.Error(err)
			}
		}()
	}
	if start := w.apply("none", "ro/x/y", true); start == nil || !strings.Contains(start.Message, "does not allow it") {
		t.Error(start)
	}
	if start := w.apply("none", "empty", true); start != nil {
		t.Error(start)
	}
	if entries, err := os.ReadDir(w.root + "/empty"); err != nil || len(entries) != 0 {
		t.Errorf("%v, %v", entries, err)
	}
}
