package probe

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"

	"serverless-kubelet.local/agent/internal/orders"
)

// The health protocol of gRPC (https://github.com/grpc/grpc/blob/master/doc/health-checking.md), which is one request.
const healthCheck = "/grpc.health.v1.Health/Check"

const unimplemented = 12

// grpcCodes are those of gRPC in the words of Go, by number.
var grpcCodes = []string{
	"OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists", "PermissionDenied",
	"ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented", "Internal", "Unavailable",
	"DataLoss", "Unauthenticated",
}

var servingStatuses = []string{"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"}

var grpcTransport = func() *http.Transport {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	return &http.Transport{DialContext: dialer.DialContext, Protocols: &protocols, DisableKeepAlives: true, DisableCompression: true}
}()

func probeGRPC(ctx context.Context, spec *orders.Probe, podIP string) Outcome {
	target := address("", spec.GRPC.Port, podIP)
	var connected atomic.Bool
	status, message, body, err := check(withConnected(ctx, &connected), target, spec.GRPC.Service)
	timeout := timeoutOf(spec)
	switch {
	case errors.Is(err, context.DeadlineExceeded) && connected.Load():
		return failed(fmt.Sprintf("timeout: health rpc did not complete within %v", timeout))
	case err != nil:
		return failed(fmt.Sprintf("timeout: failed to connect service %q within %v: %v", target, timeout, cause(err)))
	case status != "0":
		return failed(grpcFailure(status, message))
	}
	serving := servingStatus(body)
	if serving == "SERVING" {
		return Outcome{Result: Success}
	}
	return failed(fmt.Sprintf("service unhealthy (responded with %q)", serving))
}

// cause is without the words of net/http around it.
func cause(err error) error {
	var inURL *url.Error
	if errors.As(err, &inURL) {
		return inURL.Err
	}
	return err
}

func grpcFailure(status, message string) string {
	code, err := strconv.Atoi(status)
	name := "Unavailable"
	switch {
	case err == nil && code >= 0 && code < len(grpcCodes):
		name = grpcCodes[code]
	case err == nil:
		name = fmt.Sprintf("Code(%d)", code)
	default:
		message = "no status of gRPC was answered"
	}
	if err == nil && code == unimplemented {
		return "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): " + message
	}
	return fmt.Sprintf("error: health rpc probe failed: rpc error: code = %s desc = %s", name, message)
}

// check makes the call.
func check(ctx context.Context, target, service string) (status, message string, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+target+healthCheck, bytes.NewReader(healthRequest(service)))
	if err != nil {
		return "", "", nil, err
	}
	req.Header.Set("Content-Type", "application/grpc")
	req.Header.Set("Te", "trailers")
	req.Header.Set("User-Agent", userAgent)
	response, err := grpcTransport.RoundTrip(req)
	if err != nil {
		return "", "", nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return "", "", nil, err
	}
	// An answer without a body has its status among the headers.
	from := response.Trailer
	if from.Get("Grpc-Status") == "" {
		from = response.Header
	}
	message, err = url.PathUnescape(from.Get("Grpc-Message"))
	if err != nil {
		message = from.Get("Grpc-Message")
	}
	return from.Get("Grpc-Status"), message, body, nil
}

// healthRequest is HealthCheckRequest{service} as one message, not compressed.
func healthRequest(service string) []byte {
	var message []byte
	if service != "" {
		message = append(binary.AppendUvarint([]byte{0x0a}, uint64(len(service))), service...)
	}
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...)
}

// servingStatus is that of a HealthCheckResponse. A field that is not there is UNKNOWN, as in protobuf.
func servingStatus(body []byte) string {
	const none = "no health status"
	if len(body) < 5 || body[0] != 0 {
		return none
	}
	message := body[5:]
	if len(message) == 0 {
		return servingStatuses[0]
	}
	value, length := binary.Uvarint(message[1:])
	if message[0] != 0x08 || length <= 0 || value >= uint64(len(servingStatuses)) {
		return none
	}
	return servingStatuses[value]
}
