package hosts

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"serverless-kubelet.local/agent/internal/orders"
)

const platform = "127.0.0.1\tlocalhost\n127.0.0.1 SandboxHost-1\n"

func TestWithAliases(t *testing.T) {
	aliases := []orders.HostAlias{{IP: "10.1.2.3", Hostnames: []string{"db.example", "db"}}, {IP: "::1", Hostnames: []string{"me"}}}
	block := "\n# Entries added by HostAliases.\n10.1.2.3\tdb.example\tdb\n::1\tme\n"
	for before, want := range map[string]string{
		"":                     block,
		platform:               platform + block,
		"1.1.1.1 a":            "1.1.1.1 a\n" + block,
		platform + block:       platform + block,
		block + "2.2.2.2\tx\n": block + "2.2.2.2\tx\n",
	} {
		if got := string(WithAliases([]byte(before), aliases)); got != want {
			t.Errorf("%q: %q", before, got)
		}
	}
	if got := string(WithAliases([]byte("x"), nil)); got != "x" {
		t.Errorf("none: %q", got)
	}
}

func TestWithOwn(t *testing.T) {
	for _, row := range []struct {
		before, domain, want string
	}{
		{platform, "", platform + "10.0.0.4\tweb-0\n"},
		{platform, "web.ns.svc.cluster.local", platform + "10.0.0.4\tweb-0.web.ns.svc.cluster.local\tweb-0\n"},
		{"a\n10.0.0.4\tweb-0\nb\n", "", "a\n10.0.0.4\tweb-0\nb\n"},
		{"a\n10.0.0.9  web-0\nb", "", "a\n10.0.0.4\tweb-0\nb"},
		{"10.0.0.9 web-0\n10.0.0.8 web-0\n", "", "10.0.0.4\tweb-0\n"},
		{"10.0.0.9 web-0 other\n# web-0\n", "", "10.0.0.9 web-0 other\n# web-0\n10.0.0.4\tweb-0\n"},
	} {
		got := string(WithOwn([]byte(row.before), "10.0.0.4", orders.OwnHost{Hostname: "web-0", Domain: row.domain}))
		if got != row.want {
			t.Errorf("%q: %q, not %q", row.before, got, row.want)
		}
	}
}

func TestEditIsInPlace(t *testing.T) {
	name := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(name, []byte(platform), 0o644); err != nil {
		t.Fatal(err)
	}
	inode := func() uint64 {
		var stat syscall.Stat_t
		if err := syscall.Stat(name, &stat); err != nil {
			t.Fatal(err)
		}
		return stat.Ino
	}
	before := inode()
	for _, content := range []string{"longer than it was, by far, so that nothing of it is left over at the end of it all\n", "short\n", "short\n"} {
		if err := Edit(name, func([]byte) []byte { return []byte(content) }); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(name); err != nil || string(got) != content || inode() != before {
			t.Errorf("%q, %v", got, err)
		}
	}
	if err := Edit(filepath.Join(t.TempDir(), "none"), func(b []byte) []byte { return b }); !os.IsNotExist(err) {
		t.Error(err)
	}
}

func TestManyAgentsAtOnce(t *testing.T) {
	name := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(name, []byte(platform), 0o644); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for index := range 20 {
		all.Go(func() {
			own := orders.OwnHost{Hostname: fmt.Sprintf("web-%d", index%10)}
			if err := Edit(name, func(content []byte) []byte { return WithOwn(content, "10.0.0.4", own) }); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	got, err := os.ReadFile(name)
	if err != nil || bytes.Count(got, []byte("\n")) != 12 {
		t.Errorf("%s, %v", got, err)
	}
}

func FuzzWithOwn(f *testing.F) {
	f.Add([]byte(platform), "10.0.0.4")
	f.Add([]byte("\n\x00\r\n 10.0.0.9\tweb-0"), "::1")
	f.Fuzz(func(t *testing.T, content []byte, ip string) {
		own := orders.OwnHost{Hostname: "web-0", Domain: "d"}
		once := WithOwn(content, "10.0.0.4", own)
		if !bytes.Equal(once, WithOwn(once, "10.0.0.4", own)) {
			t.Fatalf("%q changes again", once)
		}
		aliases := []orders.HostAlias{{IP: "1.1.1.1", Hostnames: []string{"a"}}}
		both := WithAliases(content, aliases)
		if !bytes.Equal(both, WithAliases(both, aliases)) || !bytes.HasPrefix(both, content) {
			t.Fatalf("%q changes again", both)
		}
	})
}
