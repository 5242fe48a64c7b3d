//go:build !race

package integration

// buildFlags make the program as it is packaged.
var buildFlags = []string{"-trimpath", "-ldflags", "-s -w"}

const isRaceBuilt = false
