//go:build unix

package cli

import (
	"os"
	"os/signal"
	"syscall"
)

// stateSignals make logState log.
var stateSignals = []os.Signal{syscall.SIGUSR1}

// reloadSignals make the program read its configuration again.
var reloadSignals = []os.Signal{syscall.SIGHUP}

// ignoreSizeSignal ignores SIGXFSZ: at a limit on file sizes a write then returns an error, and the
// process is not killed.
func ignoreSizeSignal() { signal.Ignore(syscall.SIGXFSZ) }
