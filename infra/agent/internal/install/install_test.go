package install

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"serverless-kubelet.local/agent/internal/fault"
	"serverless-kubelet.local/agent/internal/report"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == CheckCommand {
		os.Exit(0)
	}
	os.Exit(m.Run())
}

type world struct {
	root   string
	places Places
}

func newWorld(t *testing.T) world {
	t.Helper()
	root := t.TempDir()
	w := world{root, Places{root + "/sk", root + "/hosts", root + "/hostname"}}
	for name, text := range map[string]string{"hosts": "127.0.0.1 localhost\n", "hostname": "SandboxHost-1\n"} {
		w.write(t, name, text)
	}
	for _, dir := range []string{"o/web", "o/db", "v/conf", "v/cache"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	w.write(t, "o/web/orders", "{}")
	w.write(t, "o/db/orders", "{}")
	w.write(t, "v/conf/f0", "x=1")
	return w
}

func (w world) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(w.root, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (w world) install(t *testing.T, members string) int {
	t.Helper()
	text := `{"schemaVersion":1,"kind":"group","pod":{"namespace":"n","name":"p","uid":"u"},"nonce":"x","stateDir":"ROOT/run",` +
		fmt.Sprintf(`"containers":[{"name":"web","uid":%d,"orders":"ROOT/o/web"},{"name":"db","orders":"ROOT/o/db"}]`, os.Geteuid()) +
		members + `}`
	w.write(t, "orders", strings.ReplaceAll(text, "ROOT", w.root))
	return Run(filepath.Join(w.root, "orders"), w.places)
}

const everything = `,"volumes":[
	{"name":"conf","path":"ROOT/v/conf","layout":"data","files":[{"from":"f0","path":"d/app.conf","mode":256}]},
	{"name":"cache","path":"ROOT/v/cache"}],
	"hosts":[{"ip":"10.1.2.3","hostnames":["db","db.example"]}],"hostname":"web-0"`

func (w world) mode(t *testing.T, name string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(filepath.Join(w.root, name))
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func (w world) all(t *testing.T) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(w.root, func(name string, _ fs.DirEntry, err error) error {
		var stat syscall.Stat_t
		if err == nil {
			err = syscall.Lstat(name, &stat)
		}
		if filepath.Base(name) != "orders" {
			list = append(list, fmt.Sprint(name, stat.Mode, stat.Uid, stat.Gid, stat.Ino, stat.Size, stat.Mtim))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestInstallTwice(t *testing.T) {
	w := newWorld(t)
	if code := w.install(t, everything); code != 0 {
		t.Fatal(code)
	}
	for name, want := range map[string]fs.FileMode{
		"sk/sk": 0o555, "sk": 0o755, "run/c/web": 0o755, "run/c/db": 0o777,
		"o/web/orders": 0o400, "o/db/orders": 0o444, "v/conf/d/app.conf": 0o400,
	} {
		if got := w.mode(t, name); got != want {
			t.Errorf("%s: %o, not %o", name, got, want)
		}
	}
	for _, name := range Links {
		if target, err := os.Readlink(filepath.Join(w.places.Program, name)); err != nil || target != "sk" {
			t.Errorf("%s: %s, %v", name, target, err)
		}
	}
	for name, want := range map[string]string{
		"hosts":    "127.0.0.1 localhost\n\n# Entries added by HostAliases.\n10.1.2.3\tdb\tdb.example\n",
		"hostname": "web-0\n",
	} {
		if got, err := os.ReadFile(filepath.Join(w.root, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	before := w.all(t)
	if code := w.install(t, everything); code != 0 {
		t.Fatal(code)
	}
	if after := w.all(t); !slices.Equal(before, after) {
		t.Errorf("the second run changed something:\n%s\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
}

func TestAnotherProgramIsReplaced(t *testing.T) {
	w := newWorld(t)
	if err := os.Mkdir(w.places.Program, 0o755); err != nil {
		t.Fatal(err)
	}
	w.write(t, "sk/sk", "older")
	w.write(t, "sk/x", "older")
	if code := w.install(t, ""); code != 0 {
		t.Fatal(code)
	}
	entries, err := os.ReadDir(w.places.Program)
	if err != nil || len(entries) != len(Links)+1 || w.mode(t, "sk/x") != 0o555 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestCodes(t *testing.T) {
	for _, row := range []struct {
		name    string
		prepare func(world)
		members string
		want    int
	}{
		{"orders that nobody understands", func(world) {}, `,"colour":"red"`, fault.InstallBadOrders},
		{"a volume without its file", func(w world) { os.Remove(w.root + "/v/conf/f0") }, everything, fault.InstallVolumes},
		{"a volume that is not mounted", func(w world) { os.RemoveAll(w.root + "/v/cache") }, everything, fault.InstallVolumes},
		{"no orders of a container", func(w world) { os.RemoveAll(w.root + "/o/db") }, "", fault.InstallVolumes},
		{"no /etc/hosts", func(w world) { os.Remove(w.places.Hosts) }, everything, fault.InstallVolumes},
		{"a file in the folder's place", func(w world) { os.WriteFile(w.places.Program, nil, 0o644) }, "", fault.Own},
	} {
		w := newWorld(t)
		row.prepare(w)
		if code := w.install(t, row.members); code != row.want {
			t.Errorf("%s: %d, not %d", row.name, code, row.want)
		}
	}
	if code := Run("/none", newWorld(t).places); code != fault.InstallBadOrders {
		t.Error(code)
	}
}

func TestNoExec(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	for flags, want := range map[uintptr]int{syscall.MS_NOEXEC: fault.InstallNoExec, syscall.MS_RDONLY: fault.InstallReadOnly} {
		w := newWorld(t)
		if err := os.Mkdir(w.places.Program, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mount("tmpfs", w.places.Program, "tmpfs", flags, ""); err != nil {
			t.Skip(err)
		}
		code := w.install(t, "")
		if err := syscall.Unmount(w.places.Program, 0); err != nil {
			t.Error(err)
		}
		if code != want {
			t.Errorf("%d, not %d", code, want)
		}
	}
}

func TestFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	w := newWorld(t)
	if err := os.Mkdir(w.places.Program, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", w.places.Program, "tmpfs", 0, "size=64k"); err != nil {
		t.Skip(err)
	}
	code := w.install(t, "")
	left, err := os.ReadDir(w.places.Program)
	if err := syscall.Unmount(w.places.Program, 0); err != nil {
		t.Error(err)
	}
	if code != fault.InstallNoSpace || err != nil || len(left) != 0 {
		t.Errorf("%d, left %v, %v", code, left, err)
	}
}

func TestFaultIsReported(t *testing.T) {
	got := make(chan report.Message, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var message report.Message
		if body, err := io.ReadAll(r.Body); err != nil || json.Unmarshal(body, &message) != nil {
			t.Error(string(body))
		}
		got <- message
	}))
	defer server.Close()
	w := newWorld(t)
	os.Remove(w.root + "/v/conf/f0")
	code := w.install(t, everything+`,"report":{"url":"`+server.URL+`","kid":"1","key":"MDEyMzQ1Njc4OWFiY2RlZg=="}`)
	message := <-got
	if code != fault.InstallVolumes || message.Container != "" || message.State.Ended.ExitCode != code ||
		!strings.Contains(message.State.Ended.Message, "volume conf: ") {
		t.Errorf("%d, %+v", code, message.State.Ended)
	}
}
