//go:build unix

package cli

import (
	"os"
	"os/signal"
	"syscall"
)

// stateSignals ask for logState.
var stateSignals = []os.Signal{syscall.SIGUSR1}

// surviveSizeLimit makes a file that may not grow an error of the write instead of the end
// of the process.
func surviveSizeLimit() { signal.Ignore(syscall.SIGXFSZ) }
