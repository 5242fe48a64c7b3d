package supervise

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"testing"

	"serverless-kubelet.local/agent/internal/appclient"
	"serverless-kubelet.local/agent/internal/report"
	"serverless-kubelet.local/agent/internal/statedir"
)

func agentOf(dir string, post report.Post) *Agent {
	own, _, err := statedir.Open(dir, "web")
	if err != nil {
		panic(err)
	}
	return &Agent{own: own, reporter: report.New(report.Identity{}, report.State{}, post)}
}

// TestMain crashes, where it is started as an agent that does.
func TestMain(m *testing.M) {
	if dir := os.Getenv("CRASH_IN"); dir != "" {
		if _, err := takeStreams(); err != nil {
			os.Exit(1)
		}
		agentOf(dir, nil).watchCrash()
		panic("boom")
	}
	os.Exit(m.Run())
}

// A crash of the agent adds nothing to the log of its container, and the next run says what it was, once.
func TestCrash(t *testing.T) {
	dir := t.TempDir()
	crash := exec.Command("/proc/self/exe")
	crash.Env = append(os.Environ(), "CRASH_IN="+dir)
	if output, err := crash.CombinedOutput(); err == nil || len(output) > 0 || crash.ProcessState.ExitCode() != 2 {
		t.Fatalf("%q, %v", output, err)
	}
	for _, want := range []string{"panic: boom", ""} {
		said := make(chan report.Message, 1)
		a := agentOf(dir, func(_ context.Context, body []byte) (appclient.Answer, error) {
			var message report.Message
			err := json.Unmarshal(body, &message)
			said <- message
			return appclient.Answer{Status: 200}, err
		})
		a.watchCrash()
		ctx, cancel := context.WithCancel(t.Context())
		go a.reporter.Run(ctx)
		message := <-said
		cancel()
		got := ""
		for _, event := range message.Events {
			got += event.Message
		}
		if got != want {
			t.Errorf("%q, not %q", got, want)
		}
		if err := a.own.Close(); err != nil {
			t.Error(err)
		}
	}
}
