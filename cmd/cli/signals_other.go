//go:build !unix

package cli

import "os"

// There are no such signals.
var stateSignals, reloadSignals []os.Signal

func ignoreSizeSignal() {}
