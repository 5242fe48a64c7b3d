// Package statedir is what the containers of a group know of each other: a folder for each, with a lock that is held
// while its agent lives, and the record of its run.
package statedir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"serverless-kubelet.local/agent/internal/regular"
)

const (
	lockFile  = "lock"
	stateFile = "state"
	crashFile = "crash"
)

// Ended is how a program ended.
type Ended struct {
	ExitCode   int       `json:"exitCode"`
	Signal     int       `json:"signal,omitempty"`
	Reason     string    `json:"reason"`
	Message    string    `json:"message,omitempty"`
	StartedAt  time.Time `json:"startedAt,omitzero"`
	FinishedAt time.Time `json:"finishedAt"`
}

// Record is what others, and the next run, are to know of a container.
type Record struct {
	BootID string `json:"bootId"`
	// Started is as in a status: the startup probe and postStart are over.
	Started bool   `json:"started,omitempty"`
	Ended   *Ended `json:"ended,omitempty"`
	// Final is that nothing starts the program again.
	Final    bool `json:"final,omitempty"`
	Restarts int  `json:"restarts,omitempty"`
}

func folder(root, container string) string { return filepath.Join(root, "c", container) }

// Own is the folder of the container whose agent this is.
type Own struct {
	path string
	lock *os.File
}

// Open takes the lock of the container, and reads what its last run left. Without a folder that can be written to an
// error comes back beside an Own that keeps nothing.
func Open(root, container string) (*Own, Record, error) {
	own := &Own{path: folder(root, container)}
	if err := os.MkdirAll(own.path, 0o777); err != nil {
		return own, Record{}, err
	}
	var err error
	own.lock, err = os.OpenFile(filepath.Join(own.path, lockFile), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return own, Record{}, err
	}
	if err := unix.FcntlFlock(own.lock.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK}); err != nil {
		return own, Record{}, fmt.Errorf("another agent of container %s lives: %w", container, err)
	}
	record, _ := read(own.path)
	return own, record, nil
}

// Close gives the lock up, as the end of the process does.
func (o *Own) Close() error { return o.lock.Close() }

// Write replaces the record in one step.
func (o *Own) Write(record Record) error {
	data, err := json.Marshal(record)
	if err != nil {
		return err
	}
	temporary := filepath.Join(o.path, stateFile+".new")
	if err := os.WriteFile(temporary, data, 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, filepath.Join(o.path, stateFile))
}

// maxRecord is more than a record with a message of 4096 bytes.
const maxRecord = 1 << 16

// Crash is the file for the last words of an agent that crashes, and what the run before left there.
func (o *Own) Crash() (file *os.File, before string) {
	name := filepath.Join(o.path, crashFile)
	if left, err := regular.Open(name, os.O_RDONLY, 0); err == nil {
		text, _ := io.ReadAll(io.LimitReader(left, maxRecord))
		before = string(text)
		left.Close()
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, before
	}
	return file, before
}

func read(path string) (Record, error) {
	file, err := regular.Open(filepath.Join(path, stateFile), os.O_RDONLY, 0)
	if err != nil {
		return Record{}, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxRecord))
	if err != nil {
		return Record{}, err
	}
	var record Record
	if err := json.Unmarshal(data, &record); err != nil {
		return Record{}, err
	}
	return record, nil
}

// Peer is what is known of another container.
type Peer struct {
	Record
	// Lives is that its agent runs.
	Lives bool
	// Known is that it has ever run in this group.
	Known bool
}

// Look at another container. What can't be read is not known.
func Look(root, container string) Peer {
	path := folder(root, container)
	record, err := read(path)
	peer := Peer{Record: record, Known: err == nil}
	lock, err := regular.Open(filepath.Join(path, lockFile), os.O_RDONLY, 0)
	if err != nil {
		return peer
	}
	defer lock.Close()
	held := unix.Flock_t{Type: unix.F_WRLCK}
	err = unix.FcntlFlock(lock.Fd(), unix.F_OFD_GETLK, &held)
	peer.Lives = err == nil && held.Type != unix.F_UNLCK
	return peer
}

// Create makes the folders, each owned by its container's user or open to all, and forgets the runs before, unless an
// agent of the group lives: then containers are started again that others go by.
func Create(root string, owners map[string]*int) error {
	for name := range owners {
		if Look(root, name).Lives {
			return nil
		}
	}
	for name, uid := range owners {
		if err := createOne(folder(root, name), uid); err != nil {
			return err
		}
	}
	return nil
}

func createOne(path string, uid *int) error {
	if err := os.Remove(filepath.Join(path, stateFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := forgetLogs(path); err != nil {
		return err
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	if uid == nil {
		return os.Chmod(path, 0o777)
	}
	if err := os.Lchown(path, *uid, -1); err != nil {
		return err
	}
	return os.Chmod(path, 0o755)
}
