package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"serverless-kubelet.local/agent/internal/orders"
)

const (
	userAgent    = "kube-probe/serverless-kubelet"
	maxBody      = 10 << 10
	maxRedirects = 10
)

// dialer sends no keep-alives; a connection lives for one request. A closed one leaves no port waiting.
var dialer = &net.Dialer{KeepAlive: -1}

// transport never verifies a certificate, as a kubelet doesn't, and knows no proxy.
var transport = &http.Transport{
	DialContext:        dialer.DialContext,
	TLSClientConfig:    &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // A kubelet's rule for probes.
	DisableKeepAlives:  true,
	DisableCompression: true,
}

// address is where a handler goes: its own host, or the pod.
func address(host string, port int, podIP string) string {
	if host == "" {
		host = podIP
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}

// request is the GET of a probe or hook.
func request(ctx context.Context, get *orders.HTTPGet, podIP string) (*http.Request, error) {
	target, err := url.Parse(get.Path)
	if err != nil {
		target = &url.URL{Path: get.Path}
	}
	target.Scheme = strings.ToLower(get.Scheme)
	if target.Scheme == "" {
		target.Scheme = "http"
	}
	target.Host = address(get.Host, get.Port, podIP)
	if !strings.HasPrefix(target.Path, "/") {
		target.Path = "/" + target.Path
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, err
	}
	setHeaders(req, get.Headers)
	return req, nil
}

// setHeaders follows a kubelet: its own User-Agent and Accept unless the pod has its own; an empty one is left out.
func setHeaders(req *http.Request, headers []orders.HTTPHeader) {
	for _, header := range headers {
		if strings.EqualFold(header.Name, "Host") {
			req.Host = header.Value
		} else {
			req.Header.Add(header.Name, header.Value)
		}
	}
	for name, value := range map[string]string{"User-Agent": userAgent, "Accept": "*/*"} {
		given, known := req.Header[name]
		switch {
		case !known:
			req.Header.Set(name, value)
		case name == "Accept" && given[0] == "":
			req.Header.Del(name)
		}
	}
}

// sameHost follows redirects within the host that was asked.
func sameHost(req *http.Request, via []*http.Request) error {
	if req.URL.Hostname() != via[0].URL.Hostname() {
		return http.ErrUseLastResponse
	}
	if len(via) >= maxRedirects {
		return errors.New("stopped after 10 redirects")
	}
	return nil
}

func probeHTTP(ctx context.Context, get *orders.HTTPGet, podIP string) Outcome {
	req, err := request(ctx, get, podIP)
	if err != nil {
		return failed(err.Error())
	}
	client := &http.Client{Transport: transport, CheckRedirect: sameHost}
	response, err := client.Do(req)
	if err != nil {
		return failed(err.Error())
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	switch {
	case err != nil:
		return failed(err.Error())
	case response.StatusCode < 200 || response.StatusCode >= 400:
		return failed(fmt.Sprintf("HTTP probe failed with statuscode: %d", response.StatusCode))
	case response.StatusCode >= 300:
		return Outcome{Result: Success, Warning: "Probe terminated redirects, Response body: " + string(body)}
	}
	return Outcome{Result: Success}
}

// Get is the request of a hook: whatever is answered is a success.
func Get(ctx context.Context, get *orders.HTTPGet, podIP string) error {
	req, err := request(ctx, get, podIP)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", strings.Replace(req.Header.Get("User-Agent"), "kube-probe/", "kube-lifecycle/", 1))
	client := &http.Client{Transport: transport, CheckRedirect: sameHost}
	response, err := client.Do(req)
	if err != nil {
		return err
	}
	_, _ = io.CopyN(io.Discard, response.Body, maxBody)
	return response.Body.Close()
}

func probeTCP(ctx context.Context, socket *orders.TCPSocket, podIP string) Outcome {
	conn, err := dialer.DialContext(ctx, "tcp", address(socket.Host, socket.Port, podIP))
	if err != nil {
		return failed(err.Error())
	}
	// Whatever closing says, it was open.
	_ = conn.Close()
	return Outcome{Result: Success}
}

// timeoutOf is at least a second, as in the API.
func timeoutOf(p *orders.Probe) time.Duration {
	return time.Duration(max(p.TimeoutSeconds, 1)) * time.Second
}
