package subpath

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestMountsAreNeverEmptied(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	w := newWorld(t)
	w.mkdir(t, "data/cache with blank")
	inner := w.root + "/data/cache with blank"
	if err := syscall.Mount("tmpfs", inner, "tmpfs", 0, ""); err != nil {
		t.Skip(err)
	}
	defer func() {
		if err := syscall.Unmount(inner, 0); err != nil {
			t.Error(err)
		}
	}()
	w.write(t, "data/cache with blank/precious", "p")
	for _, mountPath := range []string{"data", "data/cache with blank"} {
		if start := w.apply("folder", mountPath, false); start == nil || !strings.Contains(start.Message, "there is a mount at "+inner) {
			t.Error(start)
		}
	}
	if w.read(t, "data/cache with blank/precious") != "p" {
		t.Error("lost")
	}
}

func FuzzFindMount(f *testing.F) {
	f.Add("36 35 98:0 / /a\\040b rw - ext4 x y\n", "/a b")
	f.Add("36 35 98:0 / /a/b\n", "/a")
	f.Fuzz(func(t *testing.T, text, place string) {
		point, err := findMount(strings.NewReader(text), place)
		if err == nil && point != "" && !strings.HasPrefix(point, strings.TrimSuffix(place, "/")) {
			t.Fatalf("%q is not in %q", point, place)
		}
	})
}

func TestFindMount(t *testing.T) {
	text := "1 0 0:1 / / rw\n2 1 0:2 / /etc/hosts rw\n3 1 0:3 / /a\\040b\\134 rw\nshort\n"
	for place, want := range map[string]string{
		"/etc": "/etc/hosts", "/etc/hosts": "/etc/hosts", "/et": "", "/etc/host": "", "/a b\\": "/a b\\", "/tmp": "",
	} {
		if got, err := findMount(strings.NewReader(text), place); got != want || err != nil {
			t.Errorf("%s: %q, %v", place, got, err)
		}
	}
}
