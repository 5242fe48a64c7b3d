package statedir

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// lookEvery is for what no change of a file shows: an agent that was killed, and file systems without inotify.
const lookEvery = 5 * time.Second

// Await returns when the containers are as asked for, or with the context's error.
func Await(ctx context.Context, root string, containers []string, isSo func(map[string]Peer) bool) error {
	changes := newChanges(ctx, root, containers)
	defer changes.close()
	for {
		peers := make(map[string]Peer, len(containers))
		for _, name := range containers {
			peers[name] = Look(root, name)
		}
		if isSo(peers) {
			return nil
		}
		changes.wait(ctx)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// changes is inotify, or nothing.
type changes struct {
	file *os.File
	// descriptor is the file's: asking the file for it would make its reads block for ever.
	descriptor int
	stop       func() bool
	// missing are folders that were not there yet; the one around them is watched.
	missing []string
}

func newChanges(ctx context.Context, root string, containers []string) *changes {
	c := &changes{stop: func() bool { return true }}
	descriptor, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return c
	}
	c.file, c.descriptor = os.NewFile(uintptr(descriptor), "inotify"), descriptor
	c.missing = []string{root, filepath.Join(root, "c")}
	for _, name := range containers {
		c.missing = append(c.missing, folder(root, name))
	}
	c.watchMissing()
	c.stop = context.AfterFunc(ctx, func() { _ = c.file.SetReadDeadline(time.Unix(1, 0)) })
	return c
}

func (c *changes) watch(path string) bool {
	_, err := unix.InotifyAddWatch(c.descriptor, path, unix.IN_CREATE|unix.IN_MOVED_TO)
	return err == nil
}

func (c *changes) watchMissing() {
	var still []string
	for _, path := range c.missing {
		if !c.watch(path) {
			still = append(still, path)
		}
	}
	c.missing = still
}

func (c *changes) wait(ctx context.Context) {
	if c.file == nil {
		select {
		case <-ctx.Done():
		case <-time.After(lookEvery):
		}
		return
	}
	_ = c.file.SetReadDeadline(time.Now().Add(lookEvery))
	if ctx.Err() != nil {
		return
	}
	var events [4096]byte
	if _, err := c.file.Read(events[:]); err == nil {
		c.watchMissing()
	}
}

func (c *changes) close() {
	c.stop()
	if c.file != nil {
		c.file.Close()
	}
}
