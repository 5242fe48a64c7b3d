package supervise

import (
	"context"
	"strings"

	"serverless-kubelet.local/agent/internal/orders"
	"serverless-kubelet.local/agent/internal/probe"
	"serverless-kubelet.local/agent/internal/report"
	"serverless-kubelet.local/agent/internal/statedir"
)

// startProbes begins with the startup probe, if there is one, and goes on with the others.
func (r *run) startProbes(ctx context.Context) {
	if r.plan.StartupProbe == nil {
		r.started(ctx)
		return
	}
	r.probe(ctx, probe.Startup, r.plan.StartupProbe, func(success bool) {
		if success {
			r.started(ctx)
		} else {
			r.failProbe(probe.Startup, r.plan.StartupProbe)
		}
	})
}

// started is that the program has started, as a status says it.
func (r *run) started(ctx context.Context) {
	r.update(func(s *report.State) {
		s.Started = true
		s.Ready = s.Ready || r.plan.ReadinessProbe == nil
	})
	r.write(func(record *statedir.Record) { record.Started = r.ctx.Err() == nil })
	if r.plan.LivenessProbe != nil {
		r.probe(ctx, probe.Liveness, r.plan.LivenessProbe, func(success bool) {
			if !success {
				r.failProbe(probe.Liveness, r.plan.LivenessProbe)
			}
		})
	}
	if r.plan.ReadinessProbe != nil {
		r.probe(r.ctx, probe.Readiness, r.plan.ReadinessProbe, func(success bool) {
			r.update(func(s *report.State) { s.Ready = success })
		})
	}
}

func (r *run) probe(ctx context.Context, kind string, spec *orders.Probe, decided func(bool)) {
	target := probe.Target{PodIP: r.podIP, Exec: r.execProbe}
	worker := &probe.Worker{
		Kind: kind, Spec: spec, Since: r.startedAt, Once: target.Once, Decided: decided,
		Event: func(reason, message string) { r.reporter.Event(report.Warning, reason, message) },
	}
	go worker.Run(ctx)
}

// failProbe ends the program, with the grace of the probe where it has one.
func (r *run) failProbe(kind string, spec *orders.Probe) {
	r.probeGrace = spec.TerminationGracePeriodSeconds
	message := "Container " + r.orders.Container + " failed " + strings.ToLower(kind) + " probe"
	if willRestart(r.plan) {
		message += ", will be restarted"
	}
	r.fail(byProbe, message)
}
