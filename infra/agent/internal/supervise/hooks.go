package supervise

import (
	"context"
	"errors"
	"fmt"
	"time"

	"serverless-kubelet.local/agent/internal/orders"
	"serverless-kubelet.local/agent/internal/probe"
	"serverless-kubelet.local/agent/internal/report"
)

// Reasons of events about hooks; what went wrong is not in them, as with a kubelet, because it may be a secret.
const (
	failedPostStartHook = "FailedPostStartHook"
	failedPreStopHook   = "FailedPreStopHook"
)

// handle runs a hook to its end, or to the context's.
func (r *run) handle(ctx context.Context, hook *orders.Handler) error {
	switch {
	case hook.Exec != nil:
		_, exit, start := r.command(ctx, hook.Exec.Command)
		switch {
		case start != nil:
			return start
		case exit == nil:
			return ctx.Err()
		case exit.Code() != 0:
			return fmt.Errorf("exited with %d", exit.Code())
		}
		return nil
	case hook.HTTPGet != nil:
		return probe.Get(ctx, hook.HTTPGet, r.podIP)
	case hook.Sleep != nil:
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(hook.Sleep.Seconds) * time.Second):
			return nil
		}
	default:
		return errors.New("cannot run handler: unknown type")
	}
}

// postStart runs beside the program; only after it is the program started, and are there probes.
func (r *run) postStart(ctx context.Context) {
	if r.plan.PostStart != nil {
		err := r.handle(ctx, r.plan.PostStart)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			r.reporter.Event(report.Warning, failedPostStartHook, "PostStartHook failed")
			r.fail(byHook, failedPostStartHook)
			return
		}
	}
	r.startProbes(ctx)
}

// preStop runs before the program gets its signal, and no longer than there is time.
func (r *run) preStop(d *deadline) {
	if r.plan.PreStop == nil {
		return
	}
	if at, _ := d.read(); !at.After(time.Now()) {
		return
	}
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- r.handle(ctx, r.plan.PreStop) }()
	err, isLate := await(d, time.Time{}, done)
	if !isLate && err != nil && r.ctx.Err() == nil {
		r.reporter.Event(report.Warning, failedPreStopHook, "PreStopHook failed")
	}
}
