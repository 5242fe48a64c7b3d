package session

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"serverless-kubelet.local/agent/internal/control"
	"serverless-kubelet.local/agent/internal/environment"
	"serverless-kubelet.local/agent/internal/fault"
	"serverless-kubelet.local/agent/internal/frames"
	"serverless-kubelet.local/agent/internal/launch"
	"serverless-kubelet.local/agent/internal/orders"
	"serverless-kubelet.local/agent/internal/reap"
)

// Request is the line of a caller.
type Request struct {
	Nonce  string            `json:"nonce"`
	Argv   []string          `json:"argv"`
	Env    map[string]string `json:"env"`
	Attach bool              `json:"attach"`
	// LogBefore asks for what was kept of the output of the run before.
	LogBefore bool   `json:"logBefore"`
	Stdin     bool   `json:"stdin"`
	TTY       bool   `json:"tty"`
	Rows      uint16 `json:"rows"`
	Cols      uint16 `json:"cols"`
	// KeepAliveSeconds is how long a caller may be silent; 0: for ever.
	KeepAliveSeconds int `json:"keepAliveSeconds"`
}

const (
	// outputPatience is for output that comes after the end, from what the command left behind.
	outputPatience = time.Second
	// hangUpPatience is between SIGHUP and SIGKILL when the caller has gone.
	hangUpPatience = 2 * time.Second
)

// Exec is what /.sk/x runs.
func Exec(ordersFile string, in, out *os.File) int {
	wire, err := greet(in, out)
	if err != nil {
		return 1
	}
	container, err := orders.ReadContainer(ordersFile)
	if err != nil {
		wire.fault(fault.AgentError, err.Error())
		return 1
	}
	var request Request
	line, err := wire.request(&request)
	switch {
	case errors.Is(err, io.EOF):
		return 1
	case err != nil:
		wire.fault(badRequest, err.Error())
		return 1
	case request.Attach:
		return attach(container, line, wire, out)
	case request.LogBefore:
		return sendLogBefore(container, wire, request.Nonce)
	case len(request.Argv) == 0 || request.Argv[0] == "":
		wire.fault(badRequest, "argv is empty")
		return 1
	}
	return newCommand(wire, request).run(container)
}

// attach leads the terminal to the agent that has the program's input and output.
func attach(container *orders.Container, line []byte, wire *Wire, out io.Writer) int {
	conn, reply, err := control.Dial(control.Address(&container.Header, container.Container), control.Request{Op: control.Attach})
	if err == nil && !reply.OK {
		err = errors.New(reply.Message)
	}
	if err != nil {
		wire.fault(notRunning, err.Error())
		return 1
	}
	defer conn.Close()
	go func() {
		if _, err := conn.Write(line); err == nil {
			_, _ = io.Copy(conn, wire.in)
		}
		// The caller has gone.
		_ = conn.CloseWrite()
	}()
	_, _ = io.Copy(out, conn)
	return 0
}

type command struct {
	wire    *Wire
	request Request
	reaper  *reap.Reaper
	process *launch.Process
	input   *input
	flow    *flow
	pty     *Pty
	// passing are the outputs, and passed is when each is at its end.
	passing []func()
	passed  []chan struct{}
}

func newCommand(wire *Wire, request Request) *command {
	return &command{wire: wire, request: request, reaper: reap.New(context.Background()), flow: &flow{credit: wire.sendCredit}}
}

func (c *command) run(container *orders.Container) int {
	if start := c.start(container); start != nil {
		c.wire.fault(start.Reason, start.Message)
		return start.Code
	}
	c.wire.say(frames.Begun, map[string]any{"nonce": c.request.Nonce, "pid": c.process.PID})
	for _, pass := range c.passing {
		go pass()
	}
	gone := make(chan error, 1)
	go func() { gone <- c.listen() }()
	select {
	case exit := <-c.process.Exited:
		return c.end(exit)
	case err := <-gone:
		return c.abandon(err)
	case <-hangUps():
		return c.abandon(io.EOF)
	}
}

// hangUps are signals by which ARM, or the end of the container, takes the terminal away.
func hangUps() <-chan os.Signal {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGHUP, unix.SIGTERM, unix.SIGINT, unix.SIGQUIT)
	return signals
}

func (c *command) start(container *orders.Container) *fault.Start {
	prepared, start := launch.Prepare(&container.Program, os.Environ())
	if start != nil {
		return start
	}
	env := environment.New(prepared.Env)
	for name, value := range c.request.Env {
		env.Set(name, value)
	}
	spec := prepared.Spec.With(c.request.Argv)
	spec.Env = env.List()
	options, theirs, err := c.streams(spec)
	defer func() {
		for _, file := range theirs {
			file.Close()
		}
	}()
	if err != nil {
		return fault.Agent(err)
	}
	c.process, start = launch.Start(c.reaper, spec, options)
	return start
}

// end has all output on its way before the exit code.
func (c *command) end(exit reap.Exit) int {
	patience := time.After(outputPatience)
	for _, passed := range c.passed {
		select {
		case <-passed:
		case <-patience:
			patience = closedTimer()
		}
	}
	end := map[string]int{"exitCode": exit.Code()}
	if signal := exit.Signal(); signal != 0 {
		end["signal"] = signal
	}
	c.wire.say(frames.Exit, end)
	return exit.Code()
}

// closedTimer lets nobody wait any more.
func closedTimer() <-chan time.Time {
	over := make(chan time.Time)
	close(over)
	return over
}

// abandon ends the command of a caller that has gone, or that speaks what nobody understands.
func (c *command) abandon(cause error) int {
	_ = unix.Kill(-c.process.PID, unix.SIGHUP)
	switch {
	case errors.Is(cause, frames.ErrGarbage):
		c.wire.fault(badFrame, cause.Error())
	case errors.Is(cause, errTooMuch):
		c.wire.fault(tooMuch, cause.Error())
	}
	select {
	case <-c.process.Exited:
	case <-time.After(hangUpPatience):
	}
	// What has been left behind in its group too.
	_ = unix.Kill(-c.process.PID, unix.SIGKILL)
	return 1
}
