package probe

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"serverless-kubelet.local/agent/internal/orders"
)

func portOf(t *testing.T, address string) int {
	t.Helper()
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// closedPort is one that nobody listens at.
func closedPort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return portOf(t, listener.Addr().String())
}

func once(t *testing.T, handler orders.Handler) Outcome {
	t.Helper()
	return Target{PodIP: "127.0.0.1"}.Once(t.Context(), &orders.Probe{Handler: handler})
}

func quiet(server *httptest.Server) *httptest.Server {
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	return server
}

func TestHTTP(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/code/{code}", func(w http.ResponseWriter, r *http.Request) {
		code, err := strconv.Atoi(r.PathValue("code"))
		if err != nil {
			t.Error(err)
		}
		w.WriteHeader(code)
	})
	mux.HandleFunc("/here", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/code/204", http.StatusFound) })
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://example.invalid/", http.StatusFound)
	})
	mux.HandleFunc("/big", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1<<20)) })
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	server := httptest.NewServer(mux)
	defer server.Close()
	secure := quiet(httptest.NewTLSServer(mux))
	defer secure.Close()
	port, securePort, closed := portOf(t, server.Listener.Addr().String()), portOf(t, secure.Listener.Addr().String()), closedPort(t)
	for _, row := range []struct {
		get     orders.HTTPGet
		result  Result
		output  string
		warning string
	}{
		{orders.HTTPGet{Path: "/code/200", Port: port}, Success, "", ""},
		{orders.HTTPGet{Path: "code/200", Port: port}, Success, "", ""},
		{orders.HTTPGet{Path: "/code/204?x=1&y=%20", Port: port}, Success, "", ""},
		{orders.HTTPGet{Path: "/code/304", Port: port}, Success, "", "Probe terminated redirects, Response body: "},
		{orders.HTTPGet{Path: "/code/404", Port: port}, Failure, "HTTP probe failed with statuscode: 404", ""},
		{orders.HTTPGet{Path: "/code/500", Port: port}, Failure, "HTTP probe failed with statuscode: 500", ""},
		{orders.HTTPGet{Path: "/here", Port: port}, Success, "", ""},
		{orders.HTTPGet{Path: "/loop", Port: port}, Failure, "stopped after 10 redirects", ""},
		{orders.HTTPGet{Path: "/away", Port: port}, Success, "", "Probe terminated redirects"},
		{orders.HTTPGet{Path: "/big", Port: port}, Success, "", ""},
		{orders.HTTPGet{Path: "/code/200", Port: port, Host: "localhost"}, Success, "", ""},
		{orders.HTTPGet{Path: "/code/200", Port: securePort, Scheme: "HTTPS"}, Success, "", ""},
		{orders.HTTPGet{Path: "/code/200", Port: securePort}, Failure, "HTTP probe failed with statuscode: 400", ""},
		{orders.HTTPGet{Path: "/slow", Port: port}, Failure, "context deadline exceeded", ""},
		{orders.HTTPGet{Path: "/x", Port: closed}, Failure,
			fmt.Sprintf(`Get "http://127.0.0.1:%d/x": dial tcp 127.0.0.1:%d: connect: connection refused`, closed, closed), ""},
	} {
		got := once(t, orders.Handler{HTTPGet: &row.get})
		if got.Result != row.result || !strings.Contains(got.Output, row.output) || !strings.HasPrefix(got.Warning, row.warning) {
			t.Errorf("%+v: %+v", row.get, got)
		}
	}
}

func TestHeaders(t *testing.T) {
	var got *http.Request
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r }))
	defer server.Close()
	port := portOf(t, server.Listener.Addr().String())
	ask := func(headers ...orders.HTTPHeader) {
		if outcome := once(t, orders.Handler{HTTPGet: &orders.HTTPGet{Path: "/", Port: port, Headers: headers}}); outcome.Result != Success {
			t.Fatal(outcome)
		}
	}
	ask()
	if got.UserAgent() != userAgent || got.Header.Get("Accept") != "*/*" || got.Header.Get("Connection") != "close" {
		t.Errorf("%v", got.Header)
	}
	ask(orders.HTTPHeader{Name: "host", Value: "web.example"}, orders.HTTPHeader{Name: "X-A", Value: "1"}, orders.HTTPHeader{Name: "x-a", Value: "2"},
		orders.HTTPHeader{Name: "User-Agent", Value: "own"}, orders.HTTPHeader{Name: "Accept", Value: ""})
	if got.Host != "web.example" || len(got.Header.Values("X-A")) != 2 || got.UserAgent() != "own" || got.Header.Values("Accept") != nil {
		t.Errorf("%s %v", got.Host, got.Header)
	}
	if err := Get(t.Context(), &orders.HTTPGet{Path: "/hook", Port: port}, "127.0.0.1"); err != nil || got.UserAgent() != "kube-lifecycle/serverless-kubelet" || got.URL.Path != "/hook" {
		t.Errorf("%v, %v", err, got.Header)
	}
	if outcome := once(t, orders.Handler{HTTPGet: &orders.HTTPGet{Port: port, Headers: []orders.HTTPHeader{{Name: "a b", Value: "\n"}}}}); outcome.Result != Failure {
		t.Error("what can't be sent is no success")
	}
}

func TestTCP(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if got := once(t, orders.Handler{TCPSocket: &orders.TCPSocket{Port: portOf(t, listener.Addr().String())}}); got.Result != Success {
		t.Error(got)
	}
	closed := closedPort(t)
	want := fmt.Sprintf("dial tcp 127.0.0.1:%d: connect: connection refused", closed)
	if got := once(t, orders.Handler{TCPSocket: &orders.TCPSocket{Port: closed}}); got.Result != Failure || got.Output != want {
		t.Error(got)
	}
}

// healthServer answers gRPC as the test says.
func healthServer(t *testing.T, answer func(w http.ResponseWriter, service string)) int {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != healthCheck || r.ProtoMajor != 2 || r.Header.Get("Te") != "trailers" || len(body) < 5 {
			t.Errorf("%v %v %q %v", r.URL, r.Header, body, err)
		}
		w.Header().Set("Content-Type", "application/grpc")
		answer(w, string(body[min(len(body), 7):]))
	}))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	return portOf(t, server.Listener.Addr().String())
}

func message(bytes string) []byte {
	return append([]byte{0, 0, 0, 0, byte(len(bytes))}, bytes...)
}

func TestGRPC(t *testing.T) {
	serve := func(status, body string) func(http.ResponseWriter, string) {
		return func(w http.ResponseWriter, _ string) {
			w.Header().Set("Trailer", "Grpc-Status, Grpc-Message")
			_, _ = w.Write(message(body))
			w.Header().Set("Grpc-Status", status)
			w.Header().Set("Grpc-Message", "why%20not")
		}
	}
	closed := closedPort(t)
	for _, row := range []struct {
		name   string
		port   int
		result Result
		output string
	}{
		{"serving", healthServer(t, serve("0", "\x08\x01")), Success, ""},
		{"not serving", healthServer(t, serve("0", "\x08\x02")), Failure, `service unhealthy (responded with "NOT_SERVING")`},
		{"default", healthServer(t, serve("0", "")), Failure, `service unhealthy (responded with "UNKNOWN")`},
		{"garbage", healthServer(t, serve("0", "\xff")), Failure, `service unhealthy (responded with "no health status")`},
		{"unimplemented", healthServer(t, func(w http.ResponseWriter, _ string) {
			w.Header().Set("Grpc-Status", "12")
			w.Header().Set("Grpc-Message", "x")
		}),
			Failure, "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): x"},
		{"not found", healthServer(t, serve("5", "")), Failure, "error: health rpc probe failed: rpc error: code = NotFound desc = why not"},
		{"no gRPC", healthServer(t, func(w http.ResponseWriter, _ string) { w.WriteHeader(404) }), Failure, "code = Unavailable desc = no status of gRPC was answered"},
		{"no answer", healthServer(t, func(http.ResponseWriter, string) { time.Sleep(1500 * time.Millisecond) }), Failure, "timeout: health rpc did not complete within 1s"},
		{"nobody", closed, Failure, fmt.Sprintf(`timeout: failed to connect service "127.0.0.1:%d" within 1s: dial tcp 127.0.0.1:%d: connect: connection refused`, closed, closed)},
	} {
		got := once(t, orders.Handler{GRPC: &orders.GRPC{Port: row.port}})
		if got.Result != row.result || !strings.Contains(got.Output, row.output) {
			t.Errorf("%s: %+v", row.name, got)
		}
	}
	asked := ""
	port := healthServer(t, func(w http.ResponseWriter, service string) { asked = service; serve("0", "\x08\x01")(w, "") })
	if got := once(t, orders.Handler{GRPC: &orders.GRPC{Port: port, Service: "my.Service"}}); got.Result != Success || asked != "my.Service" {
		t.Errorf("%q, %+v", asked, got)
	}
}

func TestHealthRequest(t *testing.T) {
	for service, want := range map[string]string{"": "0000000000", "ab": "00000000040a026162"} {
		if got := hex.EncodeToString(healthRequest(service)); got != want {
			t.Errorf("%q: %s", service, got)
		}
	}
	long := healthRequest(strings.Repeat("x", 300))
	if hex.EncodeToString(long[:8]) != "000000012f0aac02" {
		t.Errorf("%x", long[:8])
	}
}

func TestExecIsGivenTheTimeout(t *testing.T) {
	target := Target{Exec: func(ctx context.Context, command []string) Outcome {
		deadline, ok := ctx.Deadline()
		if !ok || time.Until(deadline) > 3*time.Second || command[0] != "cat" {
			t.Error(deadline, command)
		}
		return Outcome{Result: Success}
	}}
	target.Once(t.Context(), &orders.Probe{Handler: orders.Handler{Exec: &orders.Exec{Command: []string{"cat"}}}, TimeoutSeconds: 3})
}

func FuzzServingStatus(f *testing.F) {
	f.Add(message("\x08\x01"))
	f.Add([]byte("\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if got := servingStatus(body); got == "" {
			t.Fatal("nothing")
		}
	})
}
