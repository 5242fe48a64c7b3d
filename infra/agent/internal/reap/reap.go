// Package reap waits for all children of this process, its own and those that were left to it as process 1.
package reap

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Exit is how a process ended.
type Exit struct {
	Status unix.WaitStatus
	At     time.Time
}

// Code is a shell's: 128 and the signal's number for a death by signal.
func (e Exit) Code() int {
	if e.Status.Signaled() {
		return 128 + int(e.Status.Signal())
	}
	return e.Status.ExitStatus()
}

// Signal is what killed it; 0 where it ended itself.
func (e Exit) Signal() int {
	if e.Status.Signaled() {
		return int(e.Status.Signal())
	}
	return 0
}

// Reaper is the only one in a process that may wait for children.
type Reaper struct {
	mu      sync.Mutex
	waiting map[int]chan Exit
}

// New begins to reap, until the context ends.
func New(ctx context.Context) *Reaper {
	r := &Reaper{waiting: map[int]chan Exit{}}
	children := make(chan os.Signal, 1)
	signal.Notify(children, unix.SIGCHLD)
	go func() {
		defer signal.Stop(children)
		for {
			r.reap()
			select {
			case <-children:
			case <-ctx.Done():
				return
			}
		}
	}()
	return r
}

// Start forks under the lock, so that not even a child that ends at once is reaped before anybody waits for it.
func (r *Reaper) Start(fork func() (int, error)) (int, <-chan Exit, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	pid, err := fork()
	if err != nil {
		return 0, nil, err
	}
	exited := make(chan Exit, 1)
	r.waiting[pid] = exited
	return pid, exited, nil
}

// Kill signals a child that has not been reaped, so that the number is still its own; false where it has.
func (r *Reaper) Kill(pid int, sig unix.Signal) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, living := r.waiting[pid]; !living {
		return false
	}
	return unix.Kill(pid, sig) == nil
}

func (r *Reaper) reap() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, unix.WNOHANG, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		if exited, ours := r.waiting[pid]; ours {
			delete(r.waiting, pid)
			exited <- Exit{Status: status, At: time.Now()}
		}
	}
}
