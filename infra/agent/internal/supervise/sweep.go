package supervise

import (
	"os"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"serverless-kubelet.local/agent/internal/reap"
)

// sweep ends all that is left in the container, as the end of process 1 does; those who are attached to the program hear
// of its end first.
func (r *run) sweep(exit reap.Exit) {
	// Whoever has just asked for this end is to hear that it was heard.
	awaitProcesses(r.takeCallers())
	if r.broker != nil {
		carriers := r.broker.Carriers()
		r.killBut(carriers)
		r.broker.End(exit)
		awaitProcesses(carriers)
	}
	r.killBut(nil)
	for _, t := range r.tees {
		select {
		case <-t.done:
		case <-time.After(drainPatience):
		}
	}
}

// awaitProcesses lets those who carry the last words say them, for a while.
func awaitProcesses(pids []int) {
	lives := func(pid int) bool { return unix.Kill(pid, 0) == nil }
	for range 50 {
		if !slices.ContainsFunc(pids, lives) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// killBut kills all processes of the container but some. Where this is not process 1, others are in the namespace too, and
// those of the program's session are known to be of the container.
func (r *run) killBut(spared []int) {
	isOurs := func(int) bool { return true }
	switch {
	case os.Getpid() != 1:
		isOurs = func(pid int) bool { session, err := unix.Getsid(pid); return err == nil && session == r.process.PID }
	case len(spared) == 0:
		_ = unix.Kill(-1, unix.SIGKILL)
		return
	}
	spared = append(spared, os.Getpid())
	// Whoever was just being forked is found the second time.
	for range 2 {
		for _, pid := range processes() {
			if !slices.Contains(spared, pid) && isOurs(pid) {
				_ = unix.Kill(pid, unix.SIGKILL)
			}
		}
	}
}

func processes() []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var list []int
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil {
			list = append(list, pid)
		}
	}
	return list
}
