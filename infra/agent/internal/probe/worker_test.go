package probe

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"serverless-kubelet.local/agent/internal/orders"
)

// play lets a probe see results, one a letter, the last one for ever (s: success, f: failure, u: unknown, w: warning),
// and gives what was decided, each with its second.
func play(t *testing.T, kind string, spec orders.Probe, results string, length time.Duration) (decided, events []string, probes int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), length)
		defer cancel()
		worker := Worker{
			Kind: kind, Spec: &spec, Since: begin,
			Once: func(context.Context, *orders.Probe) Outcome {
				letter := results[min(probes, len(results)-1)]
				probes++
				return map[byte]Outcome{
					's': {Result: Success}, 'f': {Result: Failure, Output: "bad"}, 'u': {Output: "odd"}, 'w': {Result: Success, Warning: "hm"},
				}[letter]
			},
			Event: func(reason, message string) { events = append(events, reason+": "+message) },
			Decided: func(success bool) {
				decided = append(decided, fmt.Sprintf("%v@%d", success, int(time.Since(begin).Seconds())))
			},
		}
		worker.Run(ctx)
	})
	return decided, events, probes
}

func TestThresholds(t *testing.T) {
	every := func(period, success, failure int) orders.Probe {
		return orders.Probe{PeriodSeconds: period, SuccessThreshold: success, FailureThreshold: failure}
	}
	for _, row := range []struct {
		name, kind string
		spec       orders.Probe
		results    string
		want       []string
	}{
		{"readiness comes and goes", Readiness, every(3, 1, 2), "fsfsffffs", []string{"true@3", "false@15", "true@24"}},
		{"the first success counts at once", Readiness, orders.Probe{}, "s", []string{"true@0"}},
		{"defaults: 10 s, three failures", Liveness, orders.Probe{}, "f", []string{"false@20"}},
		{"a success between failures begins anew", Liveness, every(1, 1, 3), "ffsffsfff", []string{"true@2", "false@8"}},
		{"success after several", Readiness, every(2, 3, 1), "ssfsss", []string{"false@4", "true@10"}},
		{"startup ends with its first success", Startup, every(2, 1, 30), "ffffs", []string{"true@8"}},
		{"startup ends with its last failure", Startup, every(2, 1, 3), "f", []string{"false@4"}},
		{"liveness ends with its failure", Liveness, every(1, 1, 1), "f", []string{"false@0"}},
		{"the delay is from the start", Readiness, orders.Probe{PeriodSeconds: 10, InitialDelaySeconds: 15}, "s", []string{"true@20"}},
		{"what can't be made says nothing", Liveness, every(1, 1, 2), "u", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, _, _ := play(t, row.kind, row.spec, row.results, 40*time.Second)
			if !slices.Equal(got, row.want) {
				t.Errorf("%q, not %q", got, row.want)
			}
		})
	}
}

func TestEventsAndTries(t *testing.T) {
	for results, want := range map[string]string{
		"f": "Unhealthy: Liveness probe failed: bad",
		"u": "Unhealthy: Liveness probe errored and resulted in unknown state: odd",
		"w": "ProbeWarning: Liveness probe warning: hm",
	} {
		_, events, probes := play(t, Liveness, orders.Probe{FailureThreshold: 2}, results, 5*time.Second)
		if !slices.Equal(events, []string{want}) || (probes == maxTries) != (results == "u") {
			t.Errorf("%q after %d", events, probes)
		}
	}
	if _, events, _ := play(t, Liveness, orders.Probe{}, "s", time.Minute); len(events) != 0 {
		t.Errorf("%q", events)
	}
}

func TestProbeThatNeverReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spec := &orders.Probe{Handler: orders.Handler{Exec: &orders.Exec{}}, TimeoutSeconds: 2, PeriodSeconds: 10, FailureThreshold: 2}
		target := Target{Exec: func(ctx context.Context, _ []string) Outcome { <-ctx.Done(); return failed("late") }}
		decided := make(chan time.Duration, 1)
		begin := time.Now()
		worker := Worker{
			Kind: Liveness, Spec: spec, Since: begin, Once: target.Once, Event: func(string, string) {},
			Decided: func(bool) { decided <- time.Since(begin) },
		}
		worker.Run(t.Context())
		if at := <-decided; at != 12*time.Second {
			t.Error(at)
		}
	})
}
