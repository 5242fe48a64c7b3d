package supervise

import (
	"time"

	"golang.org/x/sys/unix"

	"serverless-kubelet.local/agent/internal/reap"
)

// leastGrace is what a program has after its signal, however long its hook took (pkg/kubelet/kuberuntime).
const leastGrace = 2 * time.Second

// stop ends the program as a kubelet does: hook, signal, and what is left of the grace; then SIGKILL.
func (r *run) stop(why cause, grace time.Duration) reap.Exit {
	r.dying()
	var d *deadline
	if why == byDrain {
		d = r.drain.deadline()
	} else {
		d = r.drain.begin(time.Now().Add(grace))
	}
	hooked := make(chan struct{})
	go func() {
		defer close(hooked)
		r.preStop(d)
		if why == byDrain {
			r.awaitTurn(d)
		}
	}()
	select {
	case exit := <-r.process.Exited:
		return exit
	case <-hooked:
	}
	r.reaper.Kill(r.process.PID, r.stopSignal())
	exit, isLate := await(d, time.Now().Add(leastGrace), r.process.Exited)
	if !isLate {
		return exit
	}
	r.reaper.Kill(r.process.PID, unix.SIGKILL)
	return <-r.process.Exited
}

// awaitTurn keeps a sidecar until its mains have ended, or until the time is up.
func (r *run) awaitTurn(d *deadline) {
	if len(r.plan.EndAfter) == 0 {
		return
	}
	await(d, time.Time{}, r.mainsEnded)
}

func (r *run) stopSignal() unix.Signal {
	if number := unix.SignalNum(r.plan.StopSignal); number != 0 {
		return number
	}
	return unix.SIGTERM
}
