//go:build !unix

package main

import "os"

var stateSignals []os.Signal

func surviveSizeLimit() {}
