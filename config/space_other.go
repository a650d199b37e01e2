//go:build !linux

package config

// freeSpace returns that it is not known.
func freeSpace(string) (bytes int64, known bool) { return 0, false }
