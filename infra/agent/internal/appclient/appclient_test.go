package appclient

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"serverless-kubelet.local/agent/internal/orders"
)

func pemOf(certificate *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}))
}

func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewTLSServer(handler)
	server.Config.ErrorLog = nil
	t.Cleanup(server.Close)
	return server
}

func TestPost(t *testing.T) {
	var got http.Header
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(429)
		_, _ = w.Write([]byte("later"))
	})
	// Neither the image's store nor its proxy counts.
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	t.Setenv("SSL_CERT_FILE", "/none")
	client, err := New(&orders.Report{Key: []byte("key"), Roots: pemOf(server.Certificate())})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Post(t.Context(), server.URL, []byte(`{"a":1}`), 100)
	if err != nil || answer.Status != 429 || answer.RetryAfter != 7*time.Second || string(answer.Body) != "later" {
		t.Errorf("%+v, %v", answer, err)
	}
	// printf '{"a":1}' | openssl dgst -sha256 -hmac key
	if got.Get("Authorization") != "SK-HMAC-SHA256 88a67f24bbcdaed0e6c997404bb79a743baf44c6bab2f4c27328e3009d22e342" {
		t.Error(got.Get("Authorization"))
	}
	if _, err := client.Post(t.Context(), server.URL, nil, 4); err == nil || !strings.Contains(err.Error(), "longer than 4 bytes") {
		t.Error(err)
	}
}

func TestWhoIsNotTrusted(t *testing.T) {
	server := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("asked") })
	client, err := New(&orders.Report{Key: []byte("key")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Post(t.Context(), server.URL, nil, 1); err == nil || !strings.Contains(err.Error(), "x509: certificate signed by unknown authority") {
		t.Error(err)
	}
	if _, err := New(&orders.Report{Roots: "nonsense"}); err == nil {
		t.Error("taken for a certificate")
	}
}

func TestRootsAreThere(t *testing.T) {
	if roots("").Equal(x509.NewCertPool()) {
		t.Error("none")
	}
}

func TestNoRedirectIsFollowed(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			t.Error("followed")
		}
		http.Redirect(w, r, "/other", http.StatusTemporaryRedirect)
	})
	client, err := New(&orders.Report{Key: []byte("key"), Roots: pemOf(server.Certificate())})
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := client.Post(t.Context(), server.URL+"/", nil, 1000); err != nil || answer.Status != 307 {
		t.Errorf("%+v, %v", answer, err)
	}
}

func TestDeadline(t *testing.T) {
	release := make(chan struct{})
	server := serve(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	client, err := New(&orders.Report{Key: []byte("key"), Roots: pemOf(server.Certificate())})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := client.Post(ctx, server.URL, nil, 1); err == nil {
		t.Error("it waited for ever")
	}
}

func TestRetryAfter(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"": 0, "3": 3 * time.Second, "-1": 0, "x": 0, "1e3": 0, "99999999": maxRetryAfter, "Wed, 21 Oct 2015 07:28:00 GMT": 0,
	} {
		if got := retryAfter(header); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
}
