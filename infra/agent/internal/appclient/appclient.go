// Package appclient asks the app, and nobody else: it trusts the roots that the agent brings and those of its orders,
// and neither the image's certificates nor proxy variables.
package appclient

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/crypto/x509roots/fallback/bundle"

	"serverless-kubelet.local/agent/internal/orders"
)

const (
	connectTimeout = 10 * time.Second
	// idleTimeout ends a connection that nobody uses: an idle agent is silent.
	idleTimeout = 30 * time.Second
)

// Client signs what it sends with the pod's key.
type Client struct {
	key  []byte
	http *http.Client
}

// New makes a client; roots that are no certificates are a fault of the orders.
func New(report *orders.Report) (*Client, error) {
	if report.Roots != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(report.Roots)) {
		return nil, errors.New("orders: report.roots has no certificate")
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	dialer := &net.Dialer{Timeout: connectTimeout, KeepAlive: -1}
	client := &Client{key: report.Key}
	client.http = &http.Client{
		Transport: &lazyTransport{make: func() *http.Transport {
			return &http.Transport{
				DialContext:         dialer.DialContext,
				TLSClientConfig:     &tls.Config{RootCAs: roots(report.Roots), MinVersion: tls.VersionTLS12},
				TLSHandshakeTimeout: connectTimeout,
				IdleConnTimeout:     idleTimeout,
				MaxIdleConns:        1,
				Protocols:           &protocols,
			}
		}},
		// A redirect is no answer of the app.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return client, nil
}

// lazyTransport reads the roots when they are first needed, so that a container without a report pays nothing.
type lazyTransport struct {
	once sync.Once
	make func() *http.Transport
	made *http.Transport
}

func (t *lazyTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	t.once.Do(func() { t.made = t.make() })
	return t.made.RoundTrip(request)
}

func roots(pem string) *x509.CertPool {
	pool := x509.NewCertPool()
	for root := range bundle.Roots() {
		certificate, err := x509.ParseCertificate(root.Certificate)
		if err != nil {
			continue
		}
		if root.Constraint == nil {
			pool.AddCert(certificate)
		} else {
			pool.AddCertWithConstraint(certificate, root.Constraint)
		}
	}
	pool.AppendCertsFromPEM([]byte(pem))
	return pool
}

// Answer is what the app said.
type Answer struct {
	Status int
	// RetryAfter is the app's word on when to ask again; 0 where it has none.
	RetryAfter time.Duration
	Body       []byte
}

// maxRetryAfter bounds what an app, or who is in its place, can ask for.
const maxRetryAfter = 5 * time.Minute

// Sign is the Authorization of a body.
func Sign(key, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write(body)
	return "SK-HMAC-SHA256 " + hex.EncodeToString(mac.Sum(nil))
}

// Post sends a body and reads at most limit bytes of the answer.
func (c *Client) Post(ctx context.Context, url string, body []byte, limit int64) (Answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	request.Header.Set("Authorization", Sign(c.key, body))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "serverless-kubelet-agent")
	response, err := c.http.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close()
	answer := Answer{Status: response.StatusCode, RetryAfter: retryAfter(response.Header.Get("Retry-After"))}
	answer.Body, err = io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err == nil && int64(len(answer.Body)) > limit {
		err = fmt.Errorf("the answer is longer than %d bytes", limit)
	}
	return answer, err
}

func retryAfter(header string) time.Duration {
	seconds, err := strconv.Atoi(header)
	if err != nil || seconds <= 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, maxRetryAfter)
}
