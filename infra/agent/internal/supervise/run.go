package supervise

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"serverless-kubelet.local/agent/internal/address"
	"serverless-kubelet.local/agent/internal/cgroup"
	"serverless-kubelet.local/agent/internal/fault"
	"serverless-kubelet.local/agent/internal/lastwords"
	"serverless-kubelet.local/agent/internal/launch"
	"serverless-kubelet.local/agent/internal/orders"
	"serverless-kubelet.local/agent/internal/reap"
	"serverless-kubelet.local/agent/internal/report"
	"serverless-kubelet.local/agent/internal/statedir"
)

// run is one life of the program.
type run struct {
	*Agent
	spec      launch.Spec
	podIP     string
	process   *launch.Process
	startedAt time.Time
	words     *lastwords.File
	output    lastwords.Output
	tees      []*tee
	killsThen int
	// ctx is of the life; living of what ends when the end begins: startup and liveness probes, postStart.
	ctx, living context.Context
	end, dying  context.CancelFunc
	// failed has the first thing for which the program is to be ended.
	failed     chan failure
	probeGrace *int
}

type failure struct {
	why     cause
	message string
}

func (r *run) fail(why cause, message string) {
	select {
	case r.failed <- failure{why, message}:
	default:
	}
}

// update changes the state while the program lives: what a probe finds afterwards is of nobody.
func (r *run) update(change func(*report.State)) {
	r.reporter.Update(func(s *report.State) {
		if r.ctx.Err() == nil {
			change(s)
		}
	})
}

const defaultMessagePath = "/dev/termination-log"

// newRun starts the program.
func (a *Agent) newRun(ctx context.Context, spec launch.Spec) (*run, *fault.Start) {
	r := &run{Agent: a, spec: spec, failed: make(chan failure, 1), podIP: "127.0.0.1"}
	if ips, err := address.Find(); err == nil {
		r.podIP = ips[0]
	}
	r.ctx, r.end = context.WithCancel(ctx)
	r.living, r.dying = context.WithCancel(r.ctx)
	r.openMessage()
	r.killsThen, _ = cgroup.Kills()
	options, err := r.options()
	if err != nil {
		r.end()
		return nil, fault.Agent(err)
	}
	// Before it runs: it may have ended when Start returns.
	r.startedAt = time.Now()
	process, start := launch.Start(a.reaper, spec, options)
	for _, t := range r.tees {
		t.writer.Close()
	}
	if start != nil {
		r.end()
		return nil, start
	}
	r.process = process
	a.current.Store(r)
	r.update(func(s *report.State) {
		s.Phase, s.Waiting, s.StartedAt, s.Ended = report.Running, nil, r.startedAt.UTC(), nil
	})
	go r.postStart(r.living)
	return r, nil
}

func (r *run) openMessage() {
	t := r.plan.Termination
	if t == nil {
		return
	}
	words, err := lastwords.NewFile(t.Path)
	if err != nil {
		// Nobody asked for the default one; who is not root can't have it.
		if t.Path != defaultMessagePath {
			r.reporter.Event(report.Warning, "NoTerminationMessage", "terminationMessagePath: "+err.Error())
		}
		return
	}
	r.words = words
}

// options are the program's descriptors: the container's own, or pipes where the orders want its output kept.
func (r *run) options() (launch.Options, error) {
	options := launch.Options{Files: r.streams.files}
	if t := r.plan.Termination; t != nil && t.KeepLog {
		for number := 1; number <= 2; number++ {
			one, err := newTee(r.streams.files[number], &r.output)
			if err != nil {
				return options, err
			}
			r.tees = append(r.tees, one)
			options.Files[number] = one.writer
		}
	}
	options.Foreground = r.orders.Program.TTY && isTerminal(r.streams.files[0])
	return options, nil
}

// await returns how the program ended, and why.
func (r *run) await() (statedir.Ended, cause) {
	select {
	case exit := <-r.process.Exited:
		return r.conclude(exit), byItself
	case <-r.drain.requested:
		return r.conclude(r.stop(byDrain, time.Duration(r.plan.GraceSeconds)*time.Second)), byDrain
	case <-r.mainsEnded:
		return r.conclude(r.stop(byMains, time.Duration(r.plan.GraceSeconds)*time.Second)), byMains
	case failed := <-r.failed:
		r.reporter.Event(report.Normal, "Killing", failed.message)
		grace := r.plan.GraceSeconds
		if failed.why == byProbe && r.probeGrace != nil {
			grace = *r.probeGrace
		}
		end := r.conclude(r.stop(failed.why, time.Duration(grace)*time.Second))
		if isClosed(r.drain.requested) {
			return end, byDrain
		}
		return end, failed.why
	}
}

// conclude is called once the program has ended: what it left behind goes, and its record is made.
func (r *run) conclude(exit reap.Exit) statedir.Ended {
	r.current.Store(nil)
	r.end()
	r.sweep()
	end := statedir.Ended{
		ExitCode: exit.Code(), Signal: exit.Signal(), Reason: "Completed",
		StartedAt: r.startedAt.UTC(), FinishedAt: exit.At.UTC(),
	}
	if end.ExitCode != 0 {
		end.Reason = "Error"
		if kills, ok := cgroup.Kills(); ok && kills > r.killsThen {
			end.Reason = "OOMKilled"
		}
	}
	end.Message = r.message(end.ExitCode)
	return end
}

// sweep ends all that is left in the container, as the end of process 1 does.
func (r *run) sweep() {
	if os.Getpid() == 1 {
		_ = unix.Kill(-1, unix.SIGKILL)
	} else {
		_ = unix.Kill(-r.process.PID, unix.SIGKILL)
	}
	for _, t := range r.tees {
		select {
		case <-t.done:
		case <-time.After(drainPatience):
		}
	}
}

func (r *run) message(code int) string {
	if r.words != nil {
		uid := os.Geteuid()
		if r.spec.User != nil {
			uid = r.spec.User.UID
		}
		text, err := r.words.Read(uid)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			r.reporter.Event(report.Warning, "NoTerminationMessage", err.Error())
		}
		if text != "" {
			return text
		}
	}
	t := r.plan.Termination
	if t != nil && t.Policy == orders.MessageFromLogs && t.KeepLog && code != 0 {
		return r.output.Text()
	}
	return ""
}
