//go:build tools

// kubectl is built from this module too (go build k8s.io/kubernetes/cmd/kubectl).
// These imports keep in go.mod and go.sum what it needs beyond the control plane.
package main

import (
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	_ "k8s.io/component-base/logs"
	_ "k8s.io/kubectl/pkg/cmd"
	_ "k8s.io/kubectl/pkg/cmd/util"
)
