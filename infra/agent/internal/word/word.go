// Package word has the words of ARM's exec that hand something to the agent of their container and exit.
package word

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/unix"

	"serverless-kubelet.local/agent/internal/appclient"
	"serverless-kubelet.local/agent/internal/control"
	"serverless-kubelet.local/agent/internal/live"
	"serverless-kubelet.local/agent/internal/orders"
	"serverless-kubelet.local/agent/internal/report"
	"serverless-kubelet.local/agent/internal/statedir"
)

// linePatience is how long a word waits for its line: the caller's socket may be slower than the process.
const linePatience = 5 * time.Second

const maxLine = 4096

// Drain hands over that the container is to end. Where no agent stays in it the program gets the signal, and that is all
// there is to be had.
func Drain(ordersFile string, in io.Reader, out io.Writer) int {
	return speak(ordersFile, out, func(container *orders.Container) (control.Reply, error) {
		request := control.Request{Op: control.Drain}
		line := readLine(in, linePatience)
		if err := json.Unmarshal(line, &request); len(line) > 0 && err != nil {
			return control.Reply{}, fmt.Errorf("no order: %w", err)
		}
		request.Op = control.Drain
		reply, err := call(container, request)
		if errors.Is(err, control.ErrNobody) {
			return signalFirst(container)
		}
		return reply, err
	})
}

func signalFirst(container *orders.Container) (control.Reply, error) {
	number := unix.SIGTERM
	if container.Supervise != nil {
		if named := unix.SignalNum(container.Supervise.StopSignal); named != 0 {
			number = named
		}
	}
	if err := unix.Kill(1, number); err != nil {
		return control.Reply{}, fmt.Errorf("process 1: %w", err)
	}
	return control.Reply{OK: true, Message: control.ErrNobody.Error() + "; process 1 got its signal"}, nil
}

// Ask hands over a request without more to say.
func Ask(ordersFile, op string, out io.Writer) int {
	return speak(ordersFile, out, func(container *orders.Container) (control.Reply, error) {
		return call(container, control.Request{Op: op})
	})
}

// Refresh hands over that live volumes have changed. Where no agent stays in the container this process fetches them.
func Refresh(ordersFile string, out io.Writer) int {
	return speak(ordersFile, out, func(container *orders.Container) (control.Reply, error) {
		reply, err := call(container, control.Request{Op: control.Refresh})
		if errors.Is(err, control.ErrNobody) && len(container.Live) > 0 {
			return fetch(container)
		}
		return reply, err
	})
}

const fetchTimeout = 30 * time.Second

func fetch(container *orders.Container) (control.Reply, error) {
	client, err := appclient.New(container.Report)
	if err != nil {
		return control.Reply{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	bootID := statedir.NewBootID("", time.Now())
	volumes := live.Volumes{Container: container, Client: client, Identity: report.IdentityOf(&container.Header, container.Container, bootID)}
	now, err := volumes.Refresh(ctx, nil)
	if err != nil {
		return control.Reply{}, err
	}
	status, err := json.Marshal(map[string]any{"volumes": now})
	return control.Reply{OK: true, Status: status}, err
}

func call(container *orders.Container, request control.Request) (control.Reply, error) {
	conn, reply, err := control.Dial(control.Address(&container.Header, container.Container), request)
	if err != nil {
		return control.Reply{}, err
	}
	return reply, conn.Close()
}

// speak says one line, whatever happens.
func speak(ordersFile string, out io.Writer, do func(*orders.Container) (control.Reply, error)) int {
	container, err := orders.ReadContainer(ordersFile)
	var reply control.Reply
	if err == nil {
		reply, err = do(container)
	}
	if err != nil {
		reply = control.Refuse("%v", err)
	}
	if err := json.NewEncoder(out).Encode(reply); err != nil || !reply.OK {
		return 1
	}
	return 0
}

// readLine is a line without its end, or nothing when none comes in time.
func readLine(in io.Reader, patience time.Duration) []byte {
	line := make(chan []byte, 1)
	go func() {
		text, _ := bufio.NewReaderSize(in, maxLine).ReadSlice('\n')
		line <- bytes.TrimSpace(text)
	}()
	select {
	case text := <-line:
		return text
	case <-time.After(patience):
		return nil
	}
}
