package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"serverless-kubelet.local/agent/internal/report"
)

// What a container pays for its agent: 12 MB at most, and nothing that could be measured while it is idle.
func TestCost(t *testing.T) {
	if isRaceBuilt {
		t.Skip("watching for races costs more")
	}
	p := newPod(t)
	probe := `{"httpGet":{"path":"/index.html","port":38082},"periodSeconds":1}`
	r := p.container("web", supervised(`mkdir /www; echo ok >/www/index.html; exec httpd -f -p 38082 -h /www`,
		`,"startupProbe":`+probe+`,"livenessProbe":`+probe+`,"readinessProbe":`+probe)).start()
	p.await("ready", func(m report.Message) bool { return m.State.Ready })
	const length = 8 * time.Second
	before := cpu(t, r.first())
	time.Sleep(length)
	// Two probes a second here; three of them every ten seconds are a seventh of it.
	share := float64(cpu(t, r.first())-before) / float64(length) * 100
	rss := memory(t, r.first(), "VmRSS")
	t.Logf("%d kB resident (%d at most), %.3f %% of a core at two probes a second", rss, memory(t, r.first(), "VmHWM"), share)
	if rss > 12<<10 {
		t.Errorf("%d kB", rss)
	}
	if share/7 > 0.2 {
		t.Errorf("%.3f %%", share)
	}
}

// cpu is what all threads have used.
func cpu(t *testing.T, pid int) time.Duration {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(threads) == 0 {
		t.Fatal(threads, err)
	}
	var sum time.Duration
	for _, thread := range threads {
		var used time.Duration
		if _, err := fmt.Sscan(string(read(t, thread)), &used); err != nil {
			t.Fatal(err)
		}
		sum += used
	}
	return sum
}

func memory(t *testing.T, pid int, name string) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			var kilobytes int
			if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
				t.Fatal(err)
			}
			return kilobytes
		}
	}
	t.Fatal("no " + name)
	return 0
}
