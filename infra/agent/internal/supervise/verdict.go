package supervise

import (
	"fmt"
	"slices"
	"time"

	"serverless-kubelet.local/agent/internal/fault"
	"serverless-kubelet.local/agent/internal/orders"
	"serverless-kubelet.local/agent/internal/statedir"
)

// cause is why a program ended.
type cause int

const (
	byItself cause = iota
	// byProbe is a startup or liveness probe that failed.
	byProbe
	byHook
	// byDrain is that the pod is deleted.
	byDrain
	// byMains is of a sidecar: its mains have ended.
	byMains
)

// verdict is what follows from an end.
type verdict struct {
	// again is that the agent starts the program once more itself.
	again bool
	// park is to stay as process 1, so that ACI does not start the container again.
	park bool
	// final is that nobody starts the program again.
	final bool
	// code is the exit code of the container.
	code int
}

// killed is the code of a container whose program was ended by a probe and said that all was well.
const killed = 137

// judge is pure: what the orders want of an end.
func judge(s *orders.Supervise, end statedir.Ended, why cause) verdict {
	switch {
	case why == byDrain:
		return verdict{park: isRestarted(s.RestartPolicy, end.ExitCode), final: true, code: end.ExitCode}
	case why == byMains:
		// What a sidecar says counts for nothing any more.
		return verdict{park: s.RestartPolicy == orders.Always, final: true}
	case s.Restart != nil:
		if wantsAgain(s.Restart, end.ExitCode, why) {
			return verdict{again: true}
		}
		return verdict{park: isRestarted(s.RestartPolicy, end.ExitCode), final: true, code: end.ExitCode}
	case s.Once && end.ExitCode == 0 && why == byItself:
		return verdict{park: s.RestartPolicy == orders.Always, final: true}
	}
	code := end.ExitCode
	if why == byProbe && code == 0 && s.RestartPolicy == orders.OnFailure {
		code = killed
	}
	return verdict{final: !isRestarted(s.RestartPolicy, code), code: code}
}

// isRestarted is whether ACI starts a container again that ends with the code.
func isRestarted(policy string, code int) bool {
	return policy == orders.Always || policy == orders.OnFailure && code != 0
}

// wantsAgain follows KEP-5307: the first rule that fits, then the container's policy. What a probe has ended is started
// again by every policy but Never.
func wantsAgain(r *orders.Restart, code int, why cause) bool {
	for _, rule := range r.Rules {
		if slices.Contains(rule.ExitCodes.Values, code) == (rule.ExitCodes.Operator == "In") {
			return true
		}
	}
	return isRestarted(r.Policy, code) || why == byProbe && r.Policy != orders.Never
}

// willRestart is what an event says of a container that a probe ends.
func willRestart(s *orders.Supervise) bool {
	if s.Restart != nil {
		return s.Restart.Policy != orders.Never
	}
	return s.RestartPolicy != orders.Never
}

// backOff is a kubelet's: the first restart comes at once, then each waits twice as long.
type backOff struct {
	initial, longest, reset, next time.Duration
}

func newBackOff(r *orders.Restart) backOff {
	seconds := func(value, otherwise int) time.Duration {
		if value == 0 {
			value = otherwise
		}
		return time.Duration(value) * time.Second
	}
	return backOff{
		initial: seconds(r.InitialSeconds, 10), longest: seconds(r.MaxSeconds, 300), reset: seconds(r.ResetSeconds, 600),
	}
}

// wait is how long the next start has to wait after a run of this length.
func (b *backOff) wait(ran time.Duration) time.Duration {
	if ran >= b.reset {
		b.next = 0
	}
	wait := b.next
	b.next = min(max(2*b.next, b.initial), b.longest)
	return wait
}

func crashLoop(container *orders.Container, wait time.Duration) string {
	pod := container.Pod
	return fmt.Sprintf("back-off %s restarting failed container=%s pod=%s_%s(%s)", wait, container.Container, pod.Name, pod.Namespace, pod.UID)
}

// endOf is the record of a start that failed.
func endOf(start *fault.Start, at time.Time) statedir.Ended {
	return statedir.Ended{ExitCode: start.Code, Reason: start.Reason, Message: start.Message, FinishedAt: at}
}
