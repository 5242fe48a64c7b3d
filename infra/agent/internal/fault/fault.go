// Package fault has the agent's exit codes, and the failures that end a container before its program runs.
package fault

import (
	"errors"
	"io/fs"
	"syscall"
)

// Exit codes of `run`. Own means that the program never ran, and that it is not the program's fault; the two others are
// a shell's. `install` ends with Own or one of the codes below it, because without egress nobody hears more of it.
const (
	Own           = 125
	NotExecutable = 126
	NotFound      = 127

	InstallNoSpace   = 124
	InstallNoExec    = 123
	InstallReadOnly  = 122
	InstallBadOrders = 121
	InstallVolumes   = 120
)

// Start is why a program did not start: the exit code of the container, and reason and message of its status, in a
// kubelet's words where it has words.
type Start struct {
	Code    int    `json:"code"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

func (s *Start) Error() string { return s.Message }

// Reasons of a status.
const (
	StartError                 = "StartError"
	CreateContainerConfigError = "CreateContainerConfigError"
	AgentError                 = "AgentError"
)

// Config is a pod that asks for what this container can't have.
func Config(message string) *Start {
	return &Start{Code: Own, Reason: CreateContainerConfigError, Message: message}
}

// Agent is a failure of the agent itself.
func Agent(err error) *Start {
	return &Start{Code: Own, Reason: AgentError, Message: err.Error()}
}

// Of is the Start in err's chain, or a failure of the agent.
func Of(err error) *Start {
	var start *Start
	if errors.As(err, &start) {
		return start
	}
	return Agent(err)
}

// InstallCode is the exit code of `install` for what went wrong; otherwise is for what has no code of its own.
func InstallCode(err error, otherwise int) int {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return InstallNoSpace
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return InstallReadOnly
	default:
		return otherwise
	}
}
