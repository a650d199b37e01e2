//go:build !unix

package cli

import (
	"errors"
	"os"
)

// There are no such signals.
var stateSignals, reloadSignals []os.Signal

func ignoreSizeSignal() {}

// startAgain leaves it to whatever runs the program.
func startAgain() error { return errors.New("stopped to be started again") }
