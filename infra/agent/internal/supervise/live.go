package supervise

import (
	"context"
	"time"

	"serverless-kubelet.local/agent/internal/fault"
	"serverless-kubelet.local/agent/internal/prepare"
	"serverless-kubelet.local/agent/internal/report"
	"serverless-kubelet.local/agent/internal/statedir"
)

// stopCode is of a container that is ended by a signal while no program runs.
const stopCode = 128 + 15

// live is the container from its start to its end.
func (a *Agent) live(ctx context.Context) int {
	if code, isOver := a.awaitOthers(ctx); isOver {
		return code
	}
	back := backOff{}
	if a.plan.Restart != nil {
		back = newBackOff(a.plan.Restart)
	}
	for !isClosed(a.stopped) {
		begin := time.Now()
		end, why := a.once(ctx)
		if isClosed(a.drain.requested) {
			// Whatever ended it: nothing is to start it again.
			why = byDrain
		}
		v := judge(a.plan, end, why)
		wait := time.Duration(0)
		if v.again {
			wait = back.wait(time.Since(begin))
		}
		a.noteEnd(end, v, wait)
		if !v.again {
			return a.finish(ctx, &end, v)
		}
		if code, isOver := a.pause(ctx, end, wait); isOver {
			return code
		}
		a.write(func(r *statedir.Record) { r.Restarts++ })
		a.reporter.Update(func(s *report.State) { s.Restarts++ })
	}
	return stopCode
}

// once is one run of the program, from its preparation on.
func (a *Agent) once(ctx context.Context) (statedir.Ended, cause) {
	prepared, notices, start := prepare.Container(a.orders)
	for _, notice := range notices {
		a.reporter.Event(report.Warning, "HostsNotWritten", notice)
	}
	if start != nil {
		return endOf(start, time.Now().UTC()), byItself
	}
	r, start := a.newRun(ctx, prepared.Spec)
	if start != nil {
		return endOf(start, time.Now().UTC()), byItself
	}
	return r.await()
}

// noteEnd is for the app and for the other containers.
func (a *Agent) noteEnd(end statedir.Ended, v verdict, wait time.Duration) {
	a.write(func(r *statedir.Record) { r.Started, r.Ended, r.Final = false, &end, v.final })
	a.reporter.Update(func(s *report.State) {
		s.Started, s.Ready, s.Final = false, false, v.final
		if v.again {
			s.Phase, s.Ended, s.LastEnded = report.Waiting, nil, &end
			s.Waiting = &report.Reason{Reason: "CrashLoopBackOff", Message: crashLoop(a.orders, wait)}
			return
		}
		s.Phase, s.Waiting = report.Ended, nil
		if s.LastEnded != nil && *s.LastEnded == end {
			// It was going to be started again, and is not any more.
			s.LastEnded = nil
		}
		s.Ended = &end
		if v.park {
			s.Phase = report.Parked
		}
	})
}

// pause waits before the program is started again, unless the container is to end meanwhile.
func (a *Agent) pause(ctx context.Context, end statedir.Ended, wait time.Duration) (code int, isOver bool) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	why := byDrain
	select {
	case <-timer.C:
		return 0, false
	case <-a.stopped:
		return stopCode, true
	case <-a.drain.requested:
	case <-a.mainsEnded:
		why = byMains
	}
	v := judge(a.plan, end, why)
	a.noteEnd(end, v, 0)
	return a.finish(ctx, &end, v), true
}

// finish parks, or has the last report answered; then the container has its code. A drain that comes before that is still
// heard: ACI is not to start again what is to go.
func (a *Agent) finish(ctx context.Context, end *statedir.Ended, v verdict) int {
	if !v.park && !a.flushOrDrain(ctx) && end != nil {
		v = judge(a.plan, *end, byDrain)
		a.noteEnd(*end, v, 0)
	}
	if v.park {
		<-a.stopped
	}
	return v.code
}

// flushOrDrain is false when a drain came that was not there before. An app that is not there has ARM's word on the exit
// code, and the next run reports this one again.
func (a *Agent) flushOrDrain(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, a.flush)
	defer cancel()
	requested := a.drain.requested
	if isClosed(requested) {
		requested = nil
	}
	flushed := make(chan error, 1)
	go func() { flushed <- a.reporter.Flush(ctx) }()
	select {
	case <-flushed:
		return true
	case <-a.stopped:
		return true
	case <-requested:
		return false
	}
}

// awaitOthers keeps the program from starting before what it is to start after.
func (a *Agent) awaitOthers(ctx context.Context) (code int, isOver bool) {
	if len(a.plan.After) == 0 {
		return 0, false
	}
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	var names []string
	for _, condition := range a.plan.After {
		names = append(names, condition.Container)
	}
	done := make(chan bool, 1)
	go func() {
		never := false
		err := statedir.Await(waiting, a.root, names, func(peers map[string]statedir.Peer) bool {
			var so bool
			so, never = a.mayStart(peers)
			return so || never
		})
		if err == nil {
			done <- never
		}
	}()
	select {
	case never := <-done:
		if never {
			return a.neverStarted(ctx), true
		}
		return 0, false
	case <-a.drain.requested:
		return a.neverStarted(ctx), true
	case <-a.stopped:
		return stopCode, true
	}
}

// mayStart is whether all conditions are so, and whether one of them never will be.
func (a *Agent) mayStart(peers map[string]statedir.Peer) (so, never bool) {
	so = true
	for _, condition := range a.plan.After {
		peer := peers[condition.Container]
		hasSucceeded := peer.Final && peer.Ended != nil && peer.Ended.ExitCode == 0
		if condition.Until == "succeeded" {
			so = so && hasSucceeded
			never = never || peer.Final && !hasSucceeded
			continue
		}
		so = so && peer.Started
		never = never || peer.Final && !peer.Started
	}
	return so, never
}

// neverStarted is the end of a container whose program never ran.
func (a *Agent) neverStarted(ctx context.Context) int {
	v := verdict{final: true, code: fault.Own, park: isRestarted(a.plan.RestartPolicy, fault.Own)}
	a.write(func(r *statedir.Record) { r.Final = true })
	a.reporter.Update(func(s *report.State) {
		s.Final = true
		if v.park {
			s.Phase = report.Parked
		}
	})
	return a.finish(ctx, nil, v)
}
