package supervise

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"serverless-kubelet.local/agent/internal/live"
	"serverless-kubelet.local/agent/internal/report"
)

const (
	refreshTimeout = 30 * time.Second
	firstRefresh   = time.Second
	longestRefresh = 30 * time.Second
)

// refreshLoop fetches the live volumes whenever the app has said so, until it has them.
func (a *Agent) refreshLoop(ctx context.Context) {
	pause := firstRefresh
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.refresh:
		}
		err := a.refreshOnce(ctx)
		if err == nil || errors.Is(err, live.ErrRefused) {
			pause = firstRefresh
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
			pause = min(2*pause, longestRefresh)
			a.askRefresh()
		}
	}
}

// askRefresh is heard once, however often it is said before anything is done.
func (a *Agent) askRefresh() {
	select {
	case a.refresh <- struct{}{}:
	default:
	}
}

func (a *Agent) refreshOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, refreshTimeout)
	defer cancel()
	volumes := live.Volumes{Container: a.orders, Identity: a.reporter.Identity(), Client: a.client}
	now, err := volumes.Refresh(ctx, a.reporter.State().Volumes)
	a.reporter.Update(func(s *report.State) { s.Volumes = now })
	if err != nil {
		a.reporter.Event(report.Warning, "FailedMount", err.Error())
	}
	// What was fetched is no more needed, and may have been large.
	debug.FreeOSMemory()
	return err
}
