package address

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

func TestFind(t *testing.T) {
	found, err := Find()
	if errors.Is(err, ErrNone) {
		t.Skip(err)
	}
	own, failure := net.InterfaceAddrs()
	if err != nil || failure != nil {
		t.Fatal(err, failure)
	}
	for index, text := range found {
		address, err := netip.ParseAddr(text)
		if err != nil || !isOfPod(address) || index == 0 && len(found) > 1 && !address.Is4() {
			t.Errorf("%s, %v", text, err)
		}
		isOwn := false
		for _, one := range own {
			prefix, err := netip.ParsePrefix(one.String())
			isOwn = isOwn || err == nil && prefix.Addr().WithZone("") == address
		}
		if !isOwn {
			t.Errorf("%s is none of %v", text, own)
		}
	}
}

// Where there is nothing but loopback there is no address, and nobody waits for it for ever.
func TestNone(t *testing.T) {
	if os.Getenv("WITHOUT_NETWORK") != "" {
		begin := time.Now()
		if found, err := Await(300 * time.Millisecond); !errors.Is(err, ErrNone) || time.Since(begin) < 300*time.Millisecond {
			t.Errorf("%v, %v", found, err)
		}
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	alone := exec.Command("/proc/self/exe", "-test.run", "^TestNone$")
	alone.Env = append(os.Environ(), "WITHOUT_NETWORK=1")
	alone.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if output, err := alone.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}
