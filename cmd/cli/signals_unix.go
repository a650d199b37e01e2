//go:build unix

package cli

import (
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// stateSignals make logState log.
var stateSignals = []os.Signal{syscall.SIGUSR1}

// reloadSignals make the program read its configuration again.
var reloadSignals = []os.Signal{syscall.SIGHUP}

// startAgain replaces the process by a new one of the same program, with the same arguments and the same id.
func startAgain() error {
	path, err := os.Executable()
	if err != nil {
		return fmt.Errorf("start again: %w", err)
	}
	path = strings.TrimSuffix(path, " (deleted)") // Linux says so when the file was replaced by another release, which is to be started
	if err := syscall.Exec(path, os.Args, os.Environ()); err != nil {
		return fmt.Errorf("start %s again: %w", path, err)
	}
	return nil
}

// ignoreSizeSignal ignores SIGXFSZ: at a limit on file sizes a write then returns an error, and the
// process is not killed.
func ignoreSizeSignal() { signal.Ignore(syscall.SIGXFSZ) }
