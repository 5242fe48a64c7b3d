package supervise

import (
	"context"
	"os"
	"os/signal"
	"slices"

	"golang.org/x/sys/unix"
)

// notPassedOn can't be caught, or are the agent's own business: its children, Go's runtime (which interrupts its threads
// by SIGURG), pipes and terminals. They are left alone and not ignored, since what is ignored here would be by the program.
var notPassedOn = []unix.Signal{
	unix.SIGKILL, unix.SIGSTOP, unix.SIGCHLD, unix.SIGURG, unix.SIGPIPE, unix.SIGTTIN, unix.SIGTTOU,
}

// ending are those that end a process that has no handler for them and that whoever ends a container sends.
var ending = []os.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGQUIT, unix.SIGHUP}

const lastSignal = 64

func passedOn() []os.Signal {
	var list []os.Signal
	for number := unix.Signal(1); number <= lastSignal; number++ {
		if !slices.Contains(notPassedOn, number) {
			list = append(list, number)
		}
	}
	return list
}

// forwardSignals gives the program what process 1 gets. Where no program runs, an ending one ends the container.
func (a *Agent) forwardSignals(ctx context.Context) {
	signals := make(chan os.Signal, 64)
	signal.Notify(signals, passedOn()...)
	isStopped := false
	for {
		select {
		case <-ctx.Done():
			return
		case got := <-signals:
			number, ok := got.(unix.Signal)
			if r := a.current.Load(); ok && r != nil && a.reaper.Kill(r.process.PID, number) {
				continue
			}
			if slices.Contains(ending, got) && !isStopped {
				isStopped = true
				close(a.stopped)
			}
		}
	}
}
