package probe

import (
	"context"
	"time"

	"serverless-kubelet.local/agent/internal/orders"
)

// Kinds of probes, as events name them.
const (
	Startup   = "Startup"
	Liveness  = "Liveness"
	Readiness = "Readiness"
)

// Worker repeats one probe over one run of a program.
type Worker struct {
	Kind string
	Spec *orders.Probe
	// Since is when the run started.
	Since time.Time
	Once  func(ctx context.Context, spec *orders.Probe) Outcome
	// Event hears of each probe that failed, with the reason of an event.
	Event func(reason, message string)
	// Decided gets a result when it has come as often in a row as its threshold says, and then when it changes.
	Decided func(success bool)
}

// Reasons of events.
const (
	Unhealthy    = "Unhealthy"
	ProbeWarning = "ProbeWarning"
)

// maxTries is how often a probe is tried that can't be made.
const maxTries = 3

// counter is how often in a row the last result came.
type counter struct {
	last Result
	run  int
}

// reached is whether a result counts now.
func (c *counter) reached(result Result, spec *orders.Probe) bool {
	if c.last != result {
		c.last, c.run = result, 0
	}
	c.run++
	if result == Success {
		return c.run >= max(spec.SuccessThreshold, 1)
	}
	failures := spec.FailureThreshold
	if failures == 0 {
		failures = 3
	}
	return c.run >= failures
}

// Run probes until the context ends, or until what it has decided ends it: a startup probe that has succeeded, a startup
// or liveness probe that has failed.
func (w *Worker) Run(ctx context.Context) {
	period := time.Duration(w.Spec.PeriodSeconds) * time.Second
	if period == 0 {
		period = 10 * time.Second
	}
	var counts counter
	decided := Unknown
	ticks := time.NewTicker(period)
	defer ticks.Stop()
	for {
		if result := w.probe(ctx); ctx.Err() == nil && result != Unknown && counts.reached(result, w.Spec) {
			if decided != result {
				decided = result
				w.Decided(result == Success)
			}
			if w.isOver(result) {
				return
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
	}
}

func (w *Worker) isOver(result Result) bool {
	return w.Kind == Startup || w.Kind == Liveness && result == Failure
}

// probe is one of them, once its delay is over.
func (w *Worker) probe(ctx context.Context) Result {
	if time.Since(w.Since) < time.Duration(w.Spec.InitialDelaySeconds)*time.Second {
		return Unknown
	}
	var outcome Outcome
	for range maxTries {
		if outcome = w.Once(ctx, w.Spec); outcome.Result != Unknown || ctx.Err() != nil {
			break
		}
	}
	if ctx.Err() != nil {
		return Unknown
	}
	switch {
	case outcome.Result == Failure:
		w.Event(Unhealthy, w.Kind+" probe failed: "+outcome.Output)
	case outcome.Result == Unknown:
		w.Event(Unhealthy, w.Kind+" probe errored and resulted in unknown state: "+outcome.Output)
	case outcome.Warning != "":
		w.Event(ProbeWarning, w.Kind+" probe warning: "+outcome.Warning)
	}
	return outcome.Result
}
