package integration

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"serverless-kubelet.local/agent/internal/report"
)

// pod is what the containers of a test share.
type pod struct {
	t       *testing.T
	state   string
	app     *httptest.Server
	roots   string
	mu      sync.Mutex
	reports []report.Message
	down    bool
	// files is what is answered to whoever asks for live volumes.
	files string
	// flush is how many seconds an agent waits for its last report.
	flush int
}

func newPod(t *testing.T) *pod {
	t.Helper()
	p := &pod{t: t, state: t.TempDir(), flush: 30}
	if err := os.Chmod(p.state, 0o777); err != nil {
		t.Fatal(err)
	}
	p.app = httptest.NewTLSServer(http.HandlerFunc(p.receive))
	t.Cleanup(p.app.Close)
	t.Cleanup(p.raceless)
	p.roots = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.app.Certificate().Raw}))
	return p
}

// raceless is that no agent has found a race in itself.
func (p *pod) raceless() {
	files, err := filepath.Glob(filepath.Join(p.state, "race.*"))
	if err != nil {
		p.t.Error(err)
	}
	for _, name := range files {
		p.t.Errorf("%s", read(p.t, name))
	}
}

func (p *pod) receive(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/files" {
		_, _ = io.WriteString(w, p.files)
		return
	}
	body, err := io.ReadAll(r.Body)
	var message report.Message
	if err != nil || json.Unmarshal(body, &message) != nil {
		p.t.Errorf("a report: %q, %v", body, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	p.reports = append(p.reports, message)
}

// await waits for a report that is as asked for.
func (p *pod) await(what string, isSo func(report.Message) bool) report.Message {
	p.t.Helper()
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		p.mu.Lock()
		for _, message := range p.reports {
			if isSo(message) {
				p.mu.Unlock()
				return message
			}
		}
		p.mu.Unlock()
	}
	p.t.Fatalf("no report of %s:\n%s", what, p.dump())
	return report.Message{}
}

func (p *pod) dump() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var text strings.Builder
	for _, message := range p.reports {
		line, err := json.Marshal(message)
		fmt.Fprintf(&text, "%s %v\n", line, err)
	}
	return text.String()
}

// events are the messages of all events, each once.
func (p *pod) events() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []string
	for _, message := range p.reports {
		for _, event := range message.Events {
			list = append(list, event.Reason+": "+event.Message)
		}
	}
	return strings.Join(list, "\n")
}
