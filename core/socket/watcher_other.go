//go:build !linux

package socket

import "errors"

// Watcher waits for input on connections that nobody reads. There is none on this system: each has its goroutine.
type Watcher struct{}

// NewWatcher returns an error.
func NewWatcher() (*Watcher, error) { return nil, errors.ErrUnsupported }

// Watch returns false.
func (*Watcher) Watch(any, func()) bool { return false }

// Forget does nothing.
func (*Watcher) Forget(any) {}

// Run returns at once.
func (*Watcher) Run() {}

// Close does nothing.
func (*Watcher) Close() {}
