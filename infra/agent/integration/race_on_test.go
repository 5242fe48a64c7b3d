//go:build race

package integration

// buildFlags make the program that is tried watch itself for races too.
var buildFlags = []string{"-race", "-tags", "netgo,osusergo", "-ldflags", `-linkmode external -extldflags "-static"`}

const isRaceBuilt = true
