package control

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"serverless-kubelet.local/agent/internal/orders"
)

// TestMain makes this program a caller, where it is started as one.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "call" {
		_, reply, err := Dial(os.Args[2], Request{Op: Status})
		fmt.Print(reply.Message, err)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func listen(t *testing.T, handle Handler) string {
	t.Helper()
	header := &orders.Header{Pod: orders.Pod{UID: t.Name()}, Nonce: fmt.Sprint(os.Getpid())}
	address := Address(header, "web")
	listener, err := Listen(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go Serve(listener, handle)
	return address
}

func hello(request Request, _ Conn, reply func(Reply) error) {
	_ = reply(Reply{OK: true, Message: "hello " + request.Op})
}

func TestRequestAndReply(t *testing.T) {
	grace := 7
	address := listen(t, func(request Request, conn Conn, reply func(Reply) error) {
		if err := reply(Reply{OK: true, Message: fmt.Sprint(request.Op, *request.GraceSeconds)}); err != nil {
			t.Error(err)
		}
		_, _ = io.Copy(conn, conn)
	})
	conn, reply, err := Dial(address, Request{Op: Drain, GraceSeconds: &grace})
	if err != nil || !reply.OK || reply.Message != "drain7" {
		t.Fatal(reply, err)
	}
	defer conn.Close()
	// The connection can be gone on with.
	if _, err := conn.Write([]byte("more")); err != nil {
		t.Fatal(err)
	}
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(conn); err != nil || string(got) != "more" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestNobody(t *testing.T) {
	if _, _, err := Dial("@sk-nobody", Request{}); err != ErrNobody {
		t.Error(err)
	}
}

func TestGarbage(t *testing.T) {
	address := listen(t, hello)
	for text, want := range map[string]string{
		"{\n": "no request", "\x00\xff\n": "no request", "": "", strings.Repeat("x", maxLine+1): "", "{\"op\":\"status\"}\n": "hello status",
	} {
		conn, err := net.Dial("unix", address)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(2 * patience))
		_, _ = conn.Write([]byte(text))
		if unix, ok := conn.(*net.UnixConn); ok {
			_ = unix.CloseWrite()
		}
		got, err := io.ReadAll(conn)
		if !strings.Contains(string(got), want) || err != nil && want != "" {
			t.Errorf("%.20q: %q, %v", text, got, err)
		}
		conn.Close()
	}
}

func call(t *testing.T, address string, attributes *syscall.SysProcAttr) string {
	t.Helper()
	command := exec.Command("/proc/self/exe", "call", address)
	command.SysProcAttr = attributes
	output, err := command.CombinedOutput()
	if err != nil {
		t.Skip(err, string(output))
	}
	return string(output)
}

func TestWhoIsTrusted(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	address := listen(t, hello)
	if got := call(t, address, nil); got != "hello status<nil>" {
		t.Errorf("the same user: %q", got)
	}
	other := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 4321, Gid: 4321}}
	if got := call(t, address, other); !strings.Contains(got, "does not take this caller") {
		t.Errorf("another user: %q", got)
	}
}

func TestAddress(t *testing.T) {
	header := func(uid, nonce string) *orders.Header { return &orders.Header{Pod: orders.Pod{UID: uid}, Nonce: nonce} }
	seen := map[string]bool{}
	for _, address := range []string{
		Address(header("u", "n"), "web"), Address(header("u", "n"), "db"), Address(header("u", "m"), "web"), Address(header("un", ""), "web"),
	} {
		if seen[address] || len(address) > 100 || address[0] != '@' {
			t.Error(address)
		}
		seen[address] = true
	}
}

func TestOtherNamespace(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	// The listener is in a namespace of its own, as in a container: root of another one can't be seen from there.
	address := Address(&orders.Header{Pod: orders.Pod{UID: t.Name()}, Nonce: fmt.Sprint(os.Getpid())}, "web")
	command := exec.Command("/proc/self/exe", "-test.run", "^TestListenForOthers$")
	command.Env = append(os.Environ(), "LISTEN_AT="+address)
	command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Skip(err)
	}
	defer func() {
		stdin.Close()
		if err := command.Wait(); err != nil {
			t.Error(err)
		}
	}()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		_, reply, err := Dial(address, Request{Op: Status})
		if err == ErrNobody && time.Now().Before(end) {
			continue
		}
		if err == nil || !strings.Contains(err.Error(), "does not take this caller") {
			t.Error(reply, err)
		}
		return
	}
}

func TestListenForOthers(t *testing.T) {
	address := os.Getenv("LISTEN_AT")
	if address == "" {
		t.Skip("only for the test above")
	}
	listener, err := Listen(address)
	if err != nil {
		t.Fatal(err)
	}
	go Serve(listener, hello)
	_, _ = io.ReadAll(os.Stdin)
}
