package session

import (
	"errors"
	"io/fs"

	"serverless-kubelet.local/agent/internal/fault"
	"serverless-kubelet.local/agent/internal/frames"
	"serverless-kubelet.local/agent/internal/orders"
	"serverless-kubelet.local/agent/internal/statedir"
)

// sendLogBefore sends the kept output of the run before the present one, and ends with 0.
func sendLogBefore(container *orders.Container, wire *Wire, nonce string) int {
	log, err := statedir.LogBefore(container.State(), container.Container)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		wire.fault(notKept, "the agent has kept nothing of the run before, which it does where the container has terminationMessagePolicy: FallbackToLogsOnError")
		return 1
	case err != nil:
		wire.fault(fault.AgentError, err.Error())
		return 1
	}
	defer log.Close()
	wire.say(frames.Begun, map[string]any{"nonce": nonce, "pid": 0})
	wire.pass(log, frames.Output)
	wire.say(frames.Exit, map[string]int{"exitCode": 0})
	return 0
}
