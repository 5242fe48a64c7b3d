// Package main is CoreDNS with the plugins that the laptop cloud's two
// resolvers use, and no others: the cluster's DNS and the virtual network's.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/hosts"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/reload"
	_ "github.com/coredns/coredns/plugin/template"
)

// A query passes the plugins of its server block in this order.
func init() {
	dnsserver.Directives = []string{
		"bind", "reload", "health", "ready", "errors", "cache",
		"loadbalance", "hosts", "template", "kubernetes", "forward",
	}
}

func main() {
	coremain.Run()
}
