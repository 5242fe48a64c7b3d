package supervise

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"serverless-kubelet.local/agent/internal/fault"
	"serverless-kubelet.local/agent/internal/launch"
	"serverless-kubelet.local/agent/internal/probe"
	"serverless-kubelet.local/agent/internal/reap"
)

const (
	// maxOutput is what is kept of a command's output, as a kubelet does.
	maxOutput = 10 << 10
	// drainPatience is for output that comes after the end, from what the command left behind.
	drainPatience = 500 * time.Millisecond
)

// buffer keeps the beginning of what is written to it.
type buffer struct {
	mu   sync.Mutex
	data []byte
}

func (b *buffer) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.data = append(b.data, data[:min(len(data), maxOutput-len(b.data))]...)
	return len(data), nil
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.data)
}

// command runs one in the container, as the program runs there, to its end; the context's end kills it. The exit is
// nothing where it was killed.
func (r *run) command(ctx context.Context, argv []string) (string, *reap.Exit, *fault.Start) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return "", nil, fault.Agent(err)
	}
	defer reader.Close()
	process, start := launch.Start(r.reaper, r.spec.With(argv), launch.Options{Files: [3]*os.File{r.streams.null, writer, writer}})
	writer.Close()
	if start != nil {
		return "", nil, start
	}
	output := &buffer{}
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		_, _ = io.Copy(output, reader)
	}()
	select {
	case exit := <-process.Exited:
		select {
		case <-copied:
		case <-time.After(drainPatience):
		}
		return output.String(), &exit, nil
	case <-ctx.Done():
		// Its whole group; what has left it is ended with the container.
		_ = unix.Kill(-process.PID, unix.SIGKILL)
		<-process.Exited
		return output.String(), nil, nil
	}
}

// execProbe is a probe by command.
func (r *run) execProbe(ctx context.Context, argv []string) probe.Outcome {
	deadline, _ := ctx.Deadline()
	timeout := time.Until(deadline).Round(time.Second)
	output, exit, start := r.command(ctx, argv)
	switch {
	case start != nil:
		return probe.Outcome{Output: "failed to exec in container: " + start.Message}
	case exit == nil:
		return probe.Outcome{Result: probe.Failure, Output: fmt.Sprintf("command timed out: %q timed out after %v", strings.Join(argv, " "), timeout)}
	case exit.Code() != 0:
		return probe.Outcome{Result: probe.Failure, Output: output}
	default:
		return probe.Outcome{Result: probe.Success}
	}
}
