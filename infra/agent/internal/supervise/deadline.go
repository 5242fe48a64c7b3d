package supervise

import (
	"sync"
	"time"
)

// deadline is a time that can only come nearer.
type deadline struct {
	mu      sync.Mutex
	at      time.Time
	changed chan struct{}
}

func newDeadline(at time.Time) *deadline {
	return &deadline{at: at, changed: make(chan struct{})}
}

// bring moves the deadline to a time, unless it is nearer already.
func (d *deadline) bring(at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if at.Before(d.at) {
		d.at = at
		close(d.changed)
		d.changed = make(chan struct{})
	}
}

func (d *deadline) read() (time.Time, <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at, d.changed
}

// await returns true when the deadline has come, but not before the earliest time; false when done came first.
func await[T any](d *deadline, earliest time.Time, done <-chan T) (T, bool) {
	var none T
	for {
		at, changed := d.read()
		if at.Before(earliest) {
			at = earliest
		}
		timer := time.NewTimer(time.Until(at))
		select {
		case value := <-done:
			timer.Stop()
			return value, false
		case <-timer.C:
			return none, true
		case <-changed:
			timer.Stop()
		}
	}
}
