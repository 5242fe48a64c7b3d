package supervise

import (
	"testing"
	"testing/synctest"
	"time"

	"serverless-kubelet.local/agent/internal/orders"
	"serverless-kubelet.local/agent/internal/statedir"
)

func TestJudge(t *testing.T) {
	rules := []orders.RestartRule{{Action: "Restart", ExitCodes: orders.ExitCodes{Operator: "In", Values: []int{42}}}}
	notIn := []orders.RestartRule{{Action: "Restart", ExitCodes: orders.ExitCodes{Operator: "NotIn", Values: []int{0, 1}}}}
	for _, row := range []struct {
		name   string
		orders orders.Supervise
		code   int
		why    cause
		want   verdict
	}{
		{"Always ends as it is", orders.Supervise{RestartPolicy: "Always"}, 3, byItself, verdict{code: 3}},
		{"Always, even after success", orders.Supervise{RestartPolicy: "Always"}, 0, byItself, verdict{}},
		{"OnFailure after success is over", orders.Supervise{RestartPolicy: "OnFailure"}, 0, byItself, verdict{final: true}},
		{"OnFailure after failure", orders.Supervise{RestartPolicy: "OnFailure"}, 3, byItself, verdict{code: 3}},
		{"Never", orders.Supervise{RestartPolicy: "Never"}, 3, byItself, verdict{final: true, code: 3}},
		{"a probe's kill that ends well, under OnFailure", orders.Supervise{RestartPolicy: "OnFailure"}, 0, byProbe, verdict{code: 137}},
		{"a probe's kill under OnFailure", orders.Supervise{RestartPolicy: "OnFailure"}, 143, byProbe, verdict{code: 143}},
		{"a probe's kill under Never", orders.Supervise{RestartPolicy: "Never"}, 0, byProbe, verdict{final: true}},
		{"a probe's kill under Always", orders.Supervise{RestartPolicy: "Always"}, 0, byProbe, verdict{}},
		{"a hook's kill goes by its code", orders.Supervise{RestartPolicy: "OnFailure"}, 0, byHook, verdict{final: true}},
		{"drained under Always", orders.Supervise{RestartPolicy: "Always"}, 0, byDrain, verdict{park: true, final: true}},
		{"drained under OnFailure, well", orders.Supervise{RestartPolicy: "OnFailure"}, 0, byDrain, verdict{final: true}},
		{"drained under OnFailure, not well", orders.Supervise{RestartPolicy: "OnFailure"}, 7, byDrain, verdict{park: true, final: true, code: 7}},
		{"drained under Never", orders.Supervise{RestartPolicy: "Never"}, 7, byDrain, verdict{final: true, code: 7}},
		{"drained, though it would be started again", orders.Supervise{RestartPolicy: "Never", Restart: &orders.Restart{Policy: "Always"}}, 7, byDrain, verdict{final: true, code: 7}},
		{"a sidecar after its mains", orders.Supervise{RestartPolicy: "OnFailure", Restart: &orders.Restart{Policy: "Always"}}, 143, byMains, verdict{final: true}},
		{"a sidecar that ends before them", orders.Supervise{RestartPolicy: "Never", Restart: &orders.Restart{Policy: "Always"}}, 0, byItself, verdict{again: true}},
		{"an init container in the flat", orders.Supervise{RestartPolicy: "Always", Once: true}, 0, byItself, verdict{park: true, final: true}},
		{"the same under OnFailure", orders.Supervise{RestartPolicy: "OnFailure", Once: true}, 0, byItself, verdict{final: true}},
		{"one that fails is ACI's to start again", orders.Supervise{RestartPolicy: "Always", Once: true}, 1, byItself, verdict{code: 1}},
		{"one that fails for good", orders.Supervise{RestartPolicy: "Never", Once: true}, 1, byItself, verdict{final: true, code: 1}},
		{"own policy OnFailure", orders.Supervise{RestartPolicy: "Never", Restart: &orders.Restart{Policy: "OnFailure"}}, 1, byItself, verdict{again: true}},
		{"own policy OnFailure, success", orders.Supervise{RestartPolicy: "Never", Restart: &orders.Restart{Policy: "OnFailure"}}, 0, byItself, verdict{final: true}},
		{"own policy OnFailure, a probe's kill that ends well", orders.Supervise{RestartPolicy: "Never", Restart: &orders.Restart{Policy: "OnFailure"}}, 0, byProbe, verdict{again: true}},
		{"own policy Never, a probe's kill", orders.Supervise{RestartPolicy: "Never", Restart: &orders.Restart{Policy: "Never"}}, 1, byProbe, verdict{final: true, code: 1}},
		{"own policy Never beside others that are started again", orders.Supervise{RestartPolicy: "Always", Restart: &orders.Restart{Policy: "Never"}}, 1, byItself, verdict{park: true, final: true, code: 1}},
		{"a rule that fits", orders.Supervise{RestartPolicy: "Never", Restart: &orders.Restart{Policy: "Never", Rules: rules}}, 42, byItself, verdict{again: true}},
		{"a rule that does not", orders.Supervise{RestartPolicy: "Never", Restart: &orders.Restart{Policy: "Never", Rules: rules}}, 1, byItself, verdict{final: true, code: 1}},
		{"NotIn fits", orders.Supervise{RestartPolicy: "Never", Restart: &orders.Restart{Policy: "Never", Rules: notIn}}, 2, byItself, verdict{again: true}},
		{"NotIn does not", orders.Supervise{RestartPolicy: "Never", Restart: &orders.Restart{Policy: "Never", Rules: notIn}}, 1, byItself, verdict{final: true, code: 1}},
	} {
		if got := judge(&row.orders, statedir.Ended{ExitCode: row.code}, row.why); got != row.want {
			t.Errorf("%s: %+v, not %+v", row.name, got, row.want)
		}
	}
}

func TestBackOff(t *testing.T) {
	back := newBackOff(&orders.Restart{})
	for index, want := range []time.Duration{0, 10, 20, 40, 80, 160, 300, 300} {
		if got := back.wait(time.Second); got != want*time.Second {
			t.Errorf("%d: %v", index, got)
		}
	}
	if got := back.wait(10 * time.Minute); got != 0 {
		t.Errorf("after ten minutes: %v", got)
	}
	if got := back.wait(time.Minute); got != 10*time.Second {
		t.Errorf("and then: %v", got)
	}
	own := newBackOff(&orders.Restart{InitialSeconds: 1, MaxSeconds: 3, ResetSeconds: 5})
	for index, want := range []time.Duration{0, 1, 2, 3, 3} {
		if got := own.wait(0); got != want*time.Second {
			t.Errorf("%d: %v", index, got)
		}
	}
}

func TestCrashLoop(t *testing.T) {
	container := &orders.Container{Container: "c", Header: orders.Header{Pod: orders.Pod{Namespace: "ns", Name: "p", UID: "u"}}}
	if got := crashLoop(container, 40*time.Second); got != "back-off 40s restarting failed container=c pod=p_ns(u)" {
		t.Error(got)
	}
	if got := crashLoop(container, 160*time.Second); got != "back-off 2m40s restarting failed container=c pod=p_ns(u)" {
		t.Error(got)
	}
}

func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		at := func(seconds int) time.Time { return begin.Add(time.Duration(seconds) * time.Second) }
		d := newDeadline(at(30))
		never := make(chan int)
		go func() {
			time.Sleep(5 * time.Second)
			d.bring(at(60))
			d.bring(at(10))
			d.bring(at(20))
		}()
		if _, passed := await(d, time.Time{}, never); !passed || time.Since(begin) != 10*time.Second {
			t.Error(time.Since(begin))
		}
		if _, passed := await(d, at(12), never); !passed || time.Since(begin) != 12*time.Second {
			t.Error(time.Since(begin))
		}
		done := make(chan int, 1)
		done <- 7
		if value, passed := await(newDeadline(at(100)), time.Time{}, done); passed || value != 7 {
			t.Error(value, passed)
		}
	})
}
