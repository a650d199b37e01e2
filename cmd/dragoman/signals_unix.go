//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// stateSignals ask for tellState.
var stateSignals = []os.Signal{syscall.SIGUSR1}

// surviveSizeLimit makes a file that may not grow an error of the write instead of the end
// of the process.
func surviveSizeLimit() { signal.Ignore(syscall.SIGXFSZ) }
