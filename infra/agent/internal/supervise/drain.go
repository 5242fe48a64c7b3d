package supervise

import (
	"sync"
	"time"
)

// drainOrder is that the container is to end, and by when.
type drainOrder struct {
	requested chan struct{}

	mu sync.Mutex
	by *deadline
	// active is the deadline of an end that is under way.
	active *deadline
}

// request begins the drain, or brings its end nearer, and returns the time by which all is over.
func (d *drainOrder) request(grace time.Duration) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := time.Now().Add(grace)
	if d.by == nil {
		d.by = newDeadline(at)
		close(d.requested)
	}
	d.by.bring(at)
	if d.active != nil {
		d.active.bring(at)
	}
	by, _ := d.by.read()
	return by
}

// begin gives an end its deadline, which a drain that comes, or has come, can bring nearer.
func (d *drainOrder) begin(at time.Time) *deadline {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.active = newDeadline(at)
	if d.by != nil {
		by, _ := d.by.read()
		d.active.bring(by)
	}
	return d.active
}

// deadline is of a drain that was requested.
func (d *drainOrder) deadline() *deadline {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.by
}

func isClosed(channel <-chan struct{}) bool {
	select {
	case <-channel:
		return true
	default:
		return false
	}
}
