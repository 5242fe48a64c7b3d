// Package control is how the words of ARM's exec reach the agent of their container: a socket that has no file, whose
// callers are known by their process.
package control

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"serverless-kubelet.local/agent/internal/orders"
)

// Operations.
const (
	Drain   = "drain"
	Refresh = "refresh"
	Status  = "status"
	Attach  = "attach"
)

const (
	maxLine = 64 << 10
	// patience is for one line, in either direction.
	patience = 5 * time.Second
)

// Request is one line from a caller.
type Request struct {
	Op string `json:"op"`
	// GraceSeconds is of drain; absent: the orders'.
	GraceSeconds *int `json:"graceSeconds,omitempty"`
}

// Reply is the line that answers it.
type Reply struct {
	OK      bool            `json:"ok"`
	Message string          `json:"message,omitempty"`
	Status  json.RawMessage `json:"status,omitempty"`
}

// Refuse is a reply that says why not.
func Refuse(format string, args ...any) Reply {
	return Reply{Message: fmt.Sprintf(format, args...)}
}

// Address names the socket of one container of one group. It begins with a zero byte in the kernel, which Go writes @.
func Address(header *orders.Header, container string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{header.Pod.UID, header.Nonce, container}, "\x00")))
	return "@sk-" + hex.EncodeToString(sum[:16])
}

// Conn is a caller's connection, with what came behind its first line.
type Conn struct {
	*net.UnixConn
	Rest *bufio.Reader
	// PID is the caller's process.
	PID int
}

// Read goes on behind the first line.
func (c Conn) Read(into []byte) (int, error) { return c.Rest.Read(into) }

// Handler answers a request. It may go on with the connection, which is closed when it returns.
type Handler func(request Request, conn Conn, reply func(Reply) error)

// Serve answers callers until the listener is closed.
func Serve(listener *net.UnixListener, handle Handler) {
	for {
		conn, err := listener.AcceptUnix()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(100 * time.Millisecond)
			continue
		}
		go serveOne(conn, handle)
	}
}

// Listen opens the socket.
func Listen(address string) (*net.UnixListener, error) {
	return net.ListenUnix("unix", &net.UnixAddr{Name: address, Net: "unix"})
}

func serveOne(conn *net.UnixConn, handle Handler) {
	defer conn.Close()
	pid, isTrusted := caller(conn)
	if !isTrusted {
		return
	}
	reader := bufio.NewReaderSize(conn, maxLine)
	_ = conn.SetDeadline(time.Now().Add(patience))
	reply := func(answer Reply) error { return json.NewEncoder(conn).Encode(answer) }
	line, err := reader.ReadSlice('\n')
	if err != nil {
		return
	}
	var request Request
	if err := json.Unmarshal(line, &request); err != nil {
		// Who speaks so badly may not listen either.
		_ = reply(Refuse("no request: %v", err))
		return
	}
	_ = conn.SetDeadline(time.Time{})
	handle(request, Conn{conn, reader, pid}, reply)
}

// caller is its process, and whether it is trusted: root, or the user that this agent started as, in the agent's own
// namespace of processes. One of another container has no number here.
func caller(conn *net.UnixConn) (pid int, isTrusted bool) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, false
	}
	var peer *unix.Ucred
	var failure error
	err = raw.Control(func(descriptor uintptr) {
		peer, failure = unix.GetsockoptUcred(int(descriptor), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err != nil || failure != nil {
		return 0, false
	}
	return int(peer.Pid), peer.Pid > 0 && (peer.Uid == 0 || int(peer.Uid) == os.Geteuid())
}

// ErrNobody is that no agent listens: the container is of exec mode, or its agent has gone.
var ErrNobody = errors.New("no agent stays in this container")

// Dial opens a connection and sends a request.
func Dial(address string, request Request) (Conn, Reply, error) {
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: address, Net: "unix"})
	if errors.Is(err, syscall.ECONNREFUSED) {
		return Conn{}, Reply{}, ErrNobody
	}
	if err != nil {
		return Conn{}, Reply{}, err
	}
	reply, reader, err := ask(conn, request)
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		err = errors.New("the agent of this container does not take this caller")
	}
	if err != nil {
		return Conn{}, Reply{}, errors.Join(err, conn.Close())
	}
	return Conn{UnixConn: conn, Rest: reader}, reply, nil
}

func ask(conn *net.UnixConn, request Request) (Reply, *bufio.Reader, error) {
	_ = conn.SetDeadline(time.Now().Add(patience))
	if err := json.NewEncoder(conn).Encode(request); err != nil {
		return Reply{}, nil, err
	}
	reader := bufio.NewReaderSize(conn, maxLine)
	line, err := reader.ReadSlice('\n')
	if err != nil {
		return Reply{}, nil, err
	}
	var reply Reply
	err = json.Unmarshal(line, &reply)
	_ = conn.SetDeadline(time.Time{})
	return reply, reader, err
}
