//go:build !linux

package blob

import "os"

// freeSpace returns -1: it is not known.
func freeSpace(*os.Root) (int64, error) { return -1, nil }
