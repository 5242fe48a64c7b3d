// Package probe asks a container how it is, by a kubelet's rules and in its words (pkg/probe, pkg/kubelet/prober).
package probe

import (
	"context"
	"net/http/httptrace"
	"sync/atomic"

	"serverless-kubelet.local/agent/internal/orders"
)

// Result of one probe.
type Result int

// Unknown is that it could not be made, and says nothing.
const (
	Unknown Result = iota
	Success
	Failure
)

// Outcome is a result, and what is said of it.
type Outcome struct {
	Result Result
	// Output is why it failed, or could not be made.
	Output string
	// Warning is said beside a success.
	Warning string
}

func failed(output string) Outcome { return Outcome{Result: Failure, Output: output} }

// Target is what is probed.
type Target struct {
	PodIP string
	// Exec runs a command in the container to its end, or to the context's.
	Exec func(ctx context.Context, command []string) Outcome
}

// Once makes one probe within its timeout.
func (t Target) Once(ctx context.Context, spec *orders.Probe) Outcome {
	ctx, cancel := context.WithTimeout(ctx, timeoutOf(spec))
	defer cancel()
	switch {
	case spec.Exec != nil:
		return t.Exec(ctx, spec.Exec.Command)
	case spec.HTTPGet != nil:
		return probeHTTP(ctx, spec.HTTPGet, t.PodIP)
	case spec.TCPSocket != nil:
		return probeTCP(ctx, spec.TCPSocket, t.PodIP)
	case spec.GRPC != nil:
		return probeGRPC(ctx, spec, t.PodIP)
	default:
		return Outcome{Output: "no handler"}
	}
}

func withConnected(ctx context.Context, connected *atomic.Bool) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
}
