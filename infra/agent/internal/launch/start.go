package launch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"serverless-kubelet.local/agent/internal/fault"
	"serverless-kubelet.local/agent/internal/reap"
)

// ChildCommand is the word by which the agent starts itself as the process to be.
const ChildCommand = "launch-child"

const self = "/proc/self/exe"

// Descriptors of the child, behind the standard ones.
const (
	specDescriptor  = 3
	faultDescriptor = 4
)

// Options of one start.
type Options struct {
	// Files are the standard descriptors.
	Files [3]*os.File
	// Terminal makes the standard input the terminal of the process's session.
	Terminal bool
	// Foreground leaves the process in this session, whose terminal is its standard input, and gives its group the
	// foreground.
	Foreground bool
}

// Process is a child that runs its program.
type Process struct {
	PID    int
	Exited <-chan reap.Exit
}

// Start runs the spec in a child that leads a session of its own, as the first process of a container does, so that no
// terminal of the agent's is its too. It returns when the program runs, or why it does not.
func Start(reaper *reap.Reaper, spec Spec, options Options) (*Process, *fault.Start) {
	toChild, specWriter, err := os.Pipe()
	if err != nil {
		return nil, fault.Agent(err)
	}
	defer specWriter.Close()
	faultReader, fromChild, err := os.Pipe()
	if err != nil {
		toChild.Close()
		return nil, fault.Agent(err)
	}
	defer faultReader.Close()
	pid, exited, err := reaper.Start(func() (int, error) { return fork(options, toChild, fromChild) })
	toChild.Close()
	fromChild.Close()
	if err != nil {
		return nil, fault.Agent(fmt.Errorf("fork: %w", err))
	}
	// A child that is gone shows in what it answers.
	_ = json.NewEncoder(specWriter).Encode(spec)
	specWriter.Close()
	if start := answer(faultReader); start != nil {
		<-exited
		return nil, start
	}
	return &Process{PID: pid, Exited: exited}, nil
}

func fork(options Options, toChild, fromChild *os.File) (int, error) {
	attributes := &syscall.ProcAttr{
		// None, so that nothing that Go's runtime obeys is in it.
		Env: []string{},
		Sys: &syscall.SysProcAttr{Setsid: true, Setctty: options.Terminal},
	}
	if options.Foreground {
		// Of the parent's descriptors, as that of Setctty is of the child's.
		attributes.Sys = &syscall.SysProcAttr{Foreground: true, Ctty: int(options.Files[0].Fd())}
	}
	for _, file := range []*os.File{options.Files[0], options.Files[1], options.Files[2], toChild, fromChild} {
		attributes.Files = append(attributes.Files, file.Fd())
	}
	return syscall.ForkExec(self, []string{"sk", ChildCommand}, attributes)
}

// answer is nil when the pipe was closed by execve.
func answer(from io.Reader) *fault.Start {
	data, err := io.ReadAll(io.LimitReader(from, 1<<16))
	if err != nil {
		return fault.Agent(err)
	}
	if len(data) == 0 {
		return nil
	}
	start := &fault.Start{}
	if err := json.Unmarshal(data, start); err != nil {
		return fault.Agent(fmt.Errorf("start: %w", err))
	}
	return start
}

// Child is the other side of Start. Its process never does anything else, and its exit code is heard by nobody.
func Child() int {
	faults := os.NewFile(faultDescriptor, "faults")
	unix.CloseOnExec(faultDescriptor)
	start := becomeWhatIsRead()
	// Nobody who could hear of an error here.
	_ = json.NewEncoder(faults).Encode(start)
	return start.Code
}

func becomeWhatIsRead() *fault.Start {
	spec, err := readSpec()
	if err != nil {
		return fault.Agent(err)
	}
	return Become(spec)
}

func readSpec() (Spec, error) {
	from := os.NewFile(specDescriptor, "spec")
	if from == nil {
		return Spec{}, errors.New("nobody asked for this process")
	}
	defer from.Close()
	var spec Spec
	err := json.NewDecoder(from).Decode(&spec)
	if err == nil && len(spec.Argv) == 0 {
		err = errors.New("no command")
	}
	return spec, err
}
