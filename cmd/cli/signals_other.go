//go:build !unix

package cli

import "os"

var stateSignals []os.Signal

func surviveSizeLimit() {}
