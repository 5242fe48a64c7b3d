package supervise

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"serverless-kubelet.local/agent/internal/address"
	"serverless-kubelet.local/agent/internal/cgroup"
	"serverless-kubelet.local/agent/internal/fault"
	"serverless-kubelet.local/agent/internal/lastwords"
	"serverless-kubelet.local/agent/internal/launch"
	"serverless-kubelet.local/agent/internal/orders"
	"serverless-kubelet.local/agent/internal/reap"
	"serverless-kubelet.local/agent/internal/report"
	"serverless-kubelet.local/agent/internal/session"
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
	// log is there where the orders want output kept.
	log  *statedir.Log
	tees []*tee
	// broker is there where somebody may attach.
	broker    *session.Broker
	theirs    []*os.File
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
	r := &run{Agent: a, spec: spec, failed: make(chan failure, 1), podIP: podIP()}
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
	for _, file := range r.theirs {
		file.Close()
	}
	if start != nil {
		r.end()
		if r.broker != nil {
			r.broker.End(reap.Exit{})
		}
		return nil, start
	}
	r.process = process
	a.current.Store(r)
	if isClosed(a.stopped) {
		// It came when there was no program yet.
		a.reaper.Kill(process.PID, r.stopSignal())
	}
	r.update(func(s *report.State) {
		s.Phase, s.Waiting, s.StartedAt, s.Ended = report.Running, nil, r.startedAt.UTC(), nil
		// Both in one report, where there is nothing between.
		s.Started = r.plan.PostStart == nil && r.plan.StartupProbe == nil
		s.Ready = s.Started && r.plan.ReadinessProbe == nil
	})
	go r.postStart(r.living)
	return r, nil
}

// podIP is what probes and hooks go to where they name no host.
func podIP() string {
	ips, err := address.Find()
	if err != nil {
		return "127.0.0.1"
	}
	return ips[0]
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

// options are the program's descriptors: the container's own, or pipes where the orders want its output kept or let
// somebody attach.
func (r *run) options() (options launch.Options, err error) {
	program := &r.orders.Program
	options.Files = r.streams.files
	if program.TTY && isTerminal(r.streams.files[0]) {
		options.Foreground = true
		return options, nil
	}
	if r.plan.Termination != nil && r.plan.Termination.KeepLog {
		r.log = r.own.BeginLog()
	}
	if program.Stdin || program.TTY {
		log := [2]io.Writer{r.streams.files[1], r.streams.files[2]}
		if r.log != nil {
			log = [2]io.Writer{io.MultiWriter(r.keeper(), log[0]), io.MultiWriter(r.keeper(), log[1])}
		}
		r.broker, options, r.theirs, err = session.NewBroker(program, r.uid(), log)
		return options, err
	}
	if r.log != nil {
		err = r.teeOutput(&options)
	}
	return options, err
}

// keeper keeps what one descriptor says: its end for the termination message, more for who asks for the log afterwards.
func (r *run) keeper() io.Writer { return io.MultiWriter(&r.output, r.log.Stream()) }

func (r *run) teeOutput(options *launch.Options) error {
	for number := 1; number <= 2; number++ {
		one, err := newTee(r.streams.files[number], r.keeper())
		if err != nil {
			return err
		}
		r.tees = append(r.tees, one)
		r.theirs = append(r.theirs, one.writer)
		options.Files[number] = one.writer
	}
	return nil
}

// uid is the user that the program runs as.
func (r *run) uid() int {
	if r.spec.User != nil {
		return r.spec.User.UID
	}
	return os.Geteuid()
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
		return r.conclude(r.stop(failed.why, time.Duration(grace)*time.Second)), failed.why
	}
}

// conclude is called once the program has ended: what it left behind goes, and its record is made.
func (r *run) conclude(exit reap.Exit) statedir.Ended {
	r.current.Store(nil)
	r.end()
	r.sweep(exit)
	if r.log != nil {
		r.log.Close()
	}
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

func (r *run) message(code int) string {
	if r.words != nil {
		text, err := r.words.Read(r.uid())
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
