// Package address finds the pod's own addresses. The host name can't be asked: in a group it leads to 127.0.0.1.
package address

import (
	"errors"
	"net"
	"net/netip"
	"time"
)

// A socket that is connected takes the address that the route to its peer leaves by; nothing is sent. The peers are of
// ranges that nobody has (RFC 5737, RFC 3849).
var peers = []struct{ network, peer string }{{"udp4", "192.0.2.1:9"}, {"udp6", "[2001:db8::1]:9"}}

// ErrNone is that there is none, or none yet.
var ErrNone = errors.New("the group has no address")

// Find is the addresses of the pod, IPv4 first.
func Find() ([]string, error) {
	var found []string
	for _, p := range peers {
		if local, ok := routed(p.network, p.peer); ok {
			found = append(found, local.String())
		}
	}
	if len(found) == 0 {
		found = ofInterfaces()
	}
	if len(found) == 0 {
		return nil, ErrNone
	}
	return found, nil
}

// Await asks again for a while: an interface may come up after the container.
func Await(patience time.Duration) ([]string, error) {
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		found, err := Find()
		if err == nil || time.Now().After(end) {
			return found, err
		}
	}
}

func routed(network, peer string) (netip.Addr, bool) {
	conn, err := net.Dial(network, peer)
	if err != nil {
		return netip.Addr{}, false
	}
	defer conn.Close()
	local, err := netip.ParseAddrPort(conn.LocalAddr().String())
	return local.Addr().Unmap(), err == nil && isOfPod(local.Addr())
}

func isOfPod(address netip.Addr) bool {
	return address.IsGlobalUnicast() && !address.IsLoopback()
}

// ofInterfaces is for networks without a default route.
func ofInterfaces() []string {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, entry := range list {
		prefix, err := netip.ParsePrefix(entry.String())
		if err == nil && isOfPod(prefix.Addr()) {
			return []string{prefix.Addr().Unmap().String()}
		}
	}
	return nil
}
